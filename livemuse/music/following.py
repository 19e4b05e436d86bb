"""Taking up the player's own material in an answer: what the memory would play next, and how surely.

An answer at ``imitate`` 1 begins with a motif of the player's, put where it fits; goes on as the player went on, while
that is not mere copying; and takes up a motif again, elsewhere. Below 1 the network has its say at each note: what
it plays among the notes of a motif accompanies it, as long as it stays below the tune and comes before its next note.
All of it is a value that follows each note, so going back to the last note that sounded costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from livemuse.music.motifs import RECENT, MotifMemory, Struck, Suggestion
from livemuse.music.openings import WELCOME, Opening, Openings, Stated, Where
from livemuse.music.statement import MOST_BETWEEN, Statement, nearest_welcome

_TAKEN: Final = 64  # notes of the memory that were taken up last: they weigh less
_STATED: Final = 8  # motifs that were taken up last
_KEPT: Final = 3  # of them, that weigh when the next answer begins
_LONGEST_RUN: Final = 10  # notes that go on just as the player did; then it turns away, sooner or later
_TURNS_AWAY: Final = 0.8  # by so much with each note more
_BEFORE_ANOTHER: Final = 8  # notes between two motifs at least
_AT_A_NOTE: Final = 0.25  # how readily a motif begins at any note later on, at imitate 1; far less readily below
_AGAIN: Final = 0.75  # and by how much less with each that was taken up
_NO_TIME_S: Final = 0.06  # so close before its next note there is no room for another
_ROUND: Final = 3  # times that one figure may go round at once
_LONGEST_FIGURE: Final = 5  # notes
_SAME_PITCH: Final = 6  # times that one pitch may be struck in a row
_NOTHING_LEFT: Final = 1e-9  # of all chance
_MARGIN_S: Final = 0.3  # a motif that begins an answer ends so long before its end
_LATER_MARGIN_S: Final = 0.9  # and one that begins at some later note
_ROOM_S: Final = 0.12  # before the next note of a tune that is taken up again: the network accompanies it
_ACCOMPANIED: Final = 2  # with so many notes each time at most
_ROOM_LEFT: Final = 0.5  # and so readily


@dataclass(frozen=True, slots=True)
class Following:
    """What was played last, by whoever, and what of the memory was taken up; never changed, only replaced."""

    recent: tuple[Struck, ...] = ()
    statement: Statement | None = None
    stated: tuple[Stated, ...] = ()
    taken: tuple[int, ...] = ()  # numbers in the memory
    run: int = 0  # notes in a row that went on as the player did
    since: int | None = None  # notes since the last motif of this answer; None: it has not begun
    here: int = 0  # motifs that were taken up in this answer

    def heard(self, onset_s: float, pitch: int) -> Following:
        """The player struck a note."""
        return Following(self._with(onset_s, pitch), stated=self.stated[-_KEPT:])

    def begun(self) -> Following:
        """An answer begins."""
        return replace(self, statement=None, run=0, since=None, here=0)

    def played(self, onset_s: float, pitch: int) -> Following:
        """livemuse struck a note of the network's alone."""
        since = _BEFORE_ANOTHER if self.since is None else self.since + 1
        return replace(self, recent=self._with(onset_s, pitch), statement=None, run=0, since=since)

    def _with(self, onset_s: float, pitch: int) -> tuple[Struck, ...]:
        return (*self.recent, Struck(onset_s, pitch))[-RECENT:]


NOTHING_TAKEN: Final = Following()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the memory would play next: ``weights`` by pitch, shares of all that may come (together 0 to 1)."""

    weights: dict[int, float] = field(default_factory=dict)
    suggestions: dict[int, Suggestion] = field(default_factory=dict)
    begins: dict[int, Opening] = field(default_factory=dict)  # motifs that would begin, by pitch
    below: int | None = None  # whatever else is played leaves the tune alone below this pitch
    before_s: float | None = None  # and up to this time


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for the next note: nats that the rules take off each pitch (128,), and times on livemuse's clock."""

    nats: Sequence[float]
    at_s: float  # not before this
    ends_s: float  # of the answer


class Imitation:
    """The player's material as one answer may take it up; ``amount`` and ``density`` are `imitate` and `density`."""

    def __init__(self, memory: MotifMemory, amount: float, density: float) -> None:
        self._memory, self._amount, self._density = memory, amount, density
        self._openings = Openings(memory)

    def most(self, now: Following) -> float:
        """The sum of the shares of what comes next is never more than this."""
        if now.statement is not None:
            return 1.0 if self._amount > 0.0 else 0.0
        ready = self._readiness(now)
        return ready + (1.0 - ready) * self._amount

    def proposal(self, now: Following, limits: Limits) -> Proposal:
        """What comes next."""
        if now.statement is not None:
            return self._going_through(now.statement, now, limits.nats)
        begins: dict[int, Opening] = {}
        weights: dict[int, float] = {}
        ready = self._readiness(now)
        for opening in self._beginnings(now, limits) if ready > 0.0 else ():
            weights[opening.pitch] = weights.get(opening.pitch, 0.0) + ready * opening.weight
            if opening.pitch not in begins or begins[opening.pitch].weight < opening.weight:
                begins[opening.pitch] = opening
        left = 1.0 - sum(weights.values())
        if left < _NOTHING_LEFT:
            return Proposal(weights, {}, begins)
        found = self._memory.continuations(now.recent, frozenset(now.taken))
        share = left * self._amount * found.sure * _TURNS_AWAY ** max(now.run - _LONGEST_RUN, 0)
        suggestions = {}
        for pitch, weight in found.weights.items():
            if limits.nats[pitch] <= WELCOME and not goes_round(now.recent, pitch):
                if share * weight > weights.get(pitch, 0.0):  # one pitch, two reasons: the better one
                    begins.pop(pitch, None)
                weights[pitch] = weights.get(pitch, 0.0) + share * weight
                suggestion = found.suggestions[pitch]  # at the tempo of the last notes, however dense they are
                suggestions[pitch] = replace(suggestion, step_s=suggestion.step_s * self._density)
        return Proposal(weights, suggestions, begins)

    def after(self, now: Following, proposal: Proposal, note: Struck, drawn: int) -> Following:
        """What follows from a note that was played, and ``drawn`` as one pitch; ``proposal`` is empty where it was the
        network's.
        """
        onset_s, pitch = note.onset_s, note.pitch
        suggestion, opening = proposal.suggestions.get(drawn), proposal.begins.get(drawn)
        if now.statement is not None:
            on = now.statement.after(suggestion, onset_s, pitch)
            after = replace(now.played(onset_s, pitch), statement=on)
            return replace(after, since=0) if on is None or suggestion is not None else after
        if opening is not None:
            stated = (*now.stated, (opening.motif.intervals, opening.shift))[-_STATED:]
            on = Statement(opening, opening.stretch / self._density, onset_s)
            return replace(now.played(onset_s, pitch), statement=on, stated=stated, since=0, here=now.here + 1)
        after = now.played(onset_s, pitch)
        if suggestion is None:
            return after
        return replace(after, run=now.run + 1, taken=(*now.taken, suggestion.number)[-_TAKEN:])

    # --- a motif -------------------------------------------------------------------------------------------------

    def _readiness(self, now: Following) -> float:
        if now.since is None:
            return self._amount
        if now.since < _BEFORE_ANOTHER:
            return 0.0
        return self._amount**6 * _AT_A_NOTE * _AGAIN ** len(now.stated)

    def _beginnings(self, now: Following, limits: Limits) -> list[Opening]:
        last = now.recent[-1] if now.recent else None
        room_s = limits.ends_s - limits.at_s - (_MARGIN_S if now.since is None else _LATER_MARGIN_S)
        again = 0 if now.since is None else now.here
        where = Where(limits.nats, None if last is None else last.pitch, room_s * self._density, now.stated, again)
        return self._openings.at(where)

    def _going_through(self, on: Statement, now: Following, nats: Sequence[float]) -> Proposal:
        """The next note of the motif; the further it has come, the surer it is to be finished."""
        tune_s, last_s = on.due_s(on.tune), now.recent[-1].onset_s
        left_s = tune_s - last_s
        late = left_s < _NO_TIME_S or on.between >= MOST_BETWEEN
        tone = on.tune if late else on.tone
        effort = (1.0 + on.led / 2) * (2.0 if late else 1.0) if tone.leads else 1.0
        pitch = nearest_welcome(tone.pitch + on.opening.shift, nats)
        share = 1.0 - (1.0 - self._amount) ** effort if nats[pitch] < float("inf") else 0.0
        if on.opening.again and left_s > _ROOM_S and on.between < _ACCOMPANIED:
            share *= _ROOM_LEFT
        step_s = max(on.due_s(tone) - last_s, 0.0) * self._density
        suggestion = Suggestion(pitch, step_s, tone.duration_s * on.stretch, tone.number, on.led)
        return Proposal({pitch: share}, {pitch: suggestion}, below=on.below, before_s=tune_s)


def goes_round(recent: Sequence[Struck], pitch: int) -> bool:
    """Whether one figure of up to five notes would go round once more than it may."""
    line = [*(struck.pitch for struck in recent), pitch]
    for period in range(1, _LONGEST_FIGURE + 1):
        count = _SAME_PITCH if period == 1 else _ROUND * period
        tail = line[-count - 1 :]
        if len(tail) == count + 1 and all(a == b for a, b in zip(tail, tail[period:], strict=False)):
            return True
    return False
