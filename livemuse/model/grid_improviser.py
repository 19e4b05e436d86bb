"""Improvising on the grid of a tempo, with a model of the family ``melody`` or ``pianoroll``.

What was heard is laid on a grid of sixteenths that begins with the first note, or on the beats that are heard as soon
as they are; sixteenths that nothing can change any more are fed as they pass, so that an answer has only the last few
to catch up with. Where the beats turn out to lie elsewhere, the last bars are laid anew. An answer begins on a beat of
the model's, which is the moment of the decision; what goes on beside the player lies on the player's beats. Planned
notes keep a snapshot each, so that going back to the last one that sounded costs nothing. Pure but for the model: the
same calls in the same order give the same notes.

``density`` makes the beginning of a note so many times likelier and leaves the tempo alone; a note is as loud as the
call was on average, times ``velocity``. The ceilings hold while a sixteenth is drawn, so the model knows what is left
out, and again for each note.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Final

from livemuse.model.chordpull import ChordPull
from livemuse.model.grid_draw import Drawn, FrameRules, draw_frame
from livemuse.model.grid_past import MOST_SILENT, SAME_TEMPO, Feeding, Lines, Past
from livemuse.model.grid_stepper import GridState, GridStepper
from livemuse.model.manners import LAST_VELOCITIES, Hands, hands_of
from livemuse.model.memory import FEWEST_NOTES, LAST_ONSET_S, Made, Memory, Remembering
from livemuse.model.pace import ALONG_LOUDNESS, Pace
from livemuse.model.pitches import HEARD_PITCHES, REMEMBERED, Reach, pitch_nats, reach_of
from livemuse.model.rolling import ApartRolling, Rolling
from livemuse.model.shaping import MOST_IN_CHORD, Shaping
from livemuse.music.ceilings import LONGEST_REST_S, Ceilings, Hand
from livemuse.music.chance import uniform
from livemuse.music.context import BeatGrid
from livemuse.music.controls import TEMPO_BPM, Controls
from livemuse.music.grid import PER_BAR, PER_BEAT, sixteenth_s
from livemuse.music.loops import NOTHING_STRUCK, Line
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.phrasing import NO_SURPRISE
from livemuse.music.sampling import Draw
from livemuse.music.schedule import Plan
from livemuse.music.styles import NO_STYLE

LOUDNESS: Final = 80  # of an answer to nothing
_SECOND_S: Final = 1.01  # "in any second", as in the ceilings
_EARLY_S: Final = 1e-6  # what rounding may add up to
_TRIES: Final = 4  # at a sixteenth in which no figure goes round too often
_NEAREST: Final = 0.5  # of a sixteenth: a beat that is heard is the one that is nearest
_LAID_ANEW: Final = 6 * PER_BAR  # sixteenths


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything the next sixteenth depends on, after some note."""

    past: Past
    recent: tuple[int, ...] = ()  # pitches of whoever played, oldest first
    heard: tuple[int, ...] = ()  # pitches of the player alone
    loud: tuple[int, ...] = ()  # velocities of the player alone
    hand: Hand = field(default_factory=Hand)  # never changed once it is in a moment
    struck_s: tuple[float, ...] = ()  # when livemuse struck its last notes
    mix: str = NO_STYLE  # the control `style`, handed on to a model that knows styles
    line: Line = NOTHING_STRUCK  # what livemuse struck in this turn


@dataclass(slots=True)
class _Drawn:
    """A note that was drawn, and the moment after it, but for how long it lasts."""

    begin_s: float
    pitch: int
    past: Past  # its sixteenth, up to this note
    line: Line  # what livemuse struck in this turn, with this note
    end_s: float | None = None


@dataclass(slots=True)
class _Take:
    plan: Plan
    anywhen: Controls  # without the key where there are chords, which have it in them
    chords: ChordPull | None
    reach: Reach | None
    hands: Hands
    shape: Shaping
    line: Line  # what livemuse struck in this turn
    sixteenth_s: float
    moments: list[_Moment]  # [before the first note, after note 0, ...]
    state: GridState  # before the sixteenth to be drawn
    frame: int
    at_s: float  # where it begins
    last_s: float  # the last onset, of whoever
    pace: Pace | None  # beside a player who plays at the same time
    notes: list[PlannedNote] = field(default_factory=list)  # handed out
    waiting: deque[_Drawn] = field(default_factory=deque)  # for an earlier note's end, or for their own
    sounding: dict[int, _Drawn] = field(default_factory=dict)
    recent: tuple[int, ...] = ()
    struck_s: tuple[float, ...] = ()
    number: int = 0  # sixteenths drawn
    count: int = 0  # notes drawn
    drawn: bool = False  # to its end
    path: tuple[int, ...] = ()  # nothing is searched for on a grid

    @property
    def done(self) -> bool:
        """Whether its last note is there."""
        return self.drawn and not self.waiting

    def fork(self, candidate: int) -> _Take:
        """Another candidate of an answer that has no note yet."""
        return replace(self, plan=replace(self.plan, candidate=candidate), shape=copy(self.shape),
                       moments=[*self.moments], notes=[], waiting=deque(), sounding={})  # fmt: skip


class GridImproviser(Remembering[_Moment, _Take]):
    """One partner with a memory: what was heard and played, and the takes being made."""

    def __init__(self, stepper: GridStepper, memory: Memory | None = None) -> None:
        self._stepper = stepper
        self._feeding = Feeding(stepper)
        self._sixteenth_s = sixteenth_s(TEMPO_BPM)
        told = memory if memory is not None else Memory()
        super().__init__(_Moment(Past(stepper.start()), hand=told.hand, mix=told.mix))
        self.listen(told.window)
        self._now, self._motifs = replace(self._now, heard=told.heard, loud=told.loud), told.motifs.copy()

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """Nothing: a model on a grid is not asked how long a silence may be."""
        return ()

    # --- several answers -----------------------------------------------------------------------------------------

    def _after_tail(self, plan: Plan) -> _Moment:
        """The moment after the call, on the grid of the plan."""
        lines = _lines_of(plan)
        if lines is not None and not self._now.past.nothing_yet:
            self._now = replace(self._now, past=self._laid(lines))
        self._sixteenth_s = sixteenth_s(_bpm_of(plan.controls)) if lines is None else lines.sixteenth_s
        moment = self._now
        for note in plan.tail:
            moment = self._after(moment, note)
        return moment

    def _open(self, plan: Plan, moment: _Moment) -> _Take:
        past, length_s = moment.past, self._sixteenth_s
        if plan.start_s is not None:
            early = _EARLY_S if _lines_of(plan) is None else _NEAREST
            past = past.until(self._feeding, plan.start_s, length_s, PER_BEAT, early=early)
            at_s = last_s = plan.start_s
        else:
            past = past.until(self._feeding, plan.not_before_s, length_s, 1)
            at_s = past.at_s
            last_s = moment.struck_s[-1] if moment.struck_s else plan.not_before_s
        if plan.revision == 0:
            moment = replace(moment, line=NOTHING_STRUCK)
        chords = ChordPull.of(plan.controls, at_s if plan.first_beat_s is None else plan.first_beat_s)
        reach = reach_of(moment.heard)
        return _Take(
            plan, plan.controls if chords is None else plan.controls.replaced("key", "off"), chords,
            reach, hands_of(moment.heard), Shaping(plan, reach, chords, _beats(past.frame, at_s, length_s)),
            moment.line, length_s, [moment], past.state, past.frame, at_s, last_s, _pace_of(plan),
            recent=moment.recent, struck_s=moment.struck_s, drawn=moment.line.closed_s is not None,
        )  # fmt: skip

    def _candidates(self, plan: Plan, count: int) -> Rolling:
        as_it_is = self._now, self._sixteenth_s
        take = self._open(plan, self._after_tail(plan))
        self._now, self._sixteenth_s = as_it_is  # what is rolled ahead leaves no trace
        return ApartRolling([take.fork(k) for k in range(count)], self._next, self._wanted(plan))

    def _back(self, moment: _Moment, late_s: float) -> _Moment:
        return replace(moment, hand=self._now.hand, struck_s=self._now.struck_s)

    # --- what was heard ------------------------------------------------------------------------------------------

    def _after(self, moment: _Moment, note: Note) -> _Moment:
        return replace(
            moment,
            past=moment.past.after(self._feeding, note, self._sixteenth_s),
            recent=(*moment.recent, note.pitch)[-REMEMBERED:],
            heard=(*moment.heard, note.pitch)[-HEARD_PITCHES:],
            loud=(*moment.loud, note.velocity)[-LAST_VELOCITIES:],
        )

    def _next(self, take: _Take) -> Made | None:
        """The next note that is known to its end, or a sixteenth more that is drawn."""
        if take.waiting and take.waiting[0].end_s is not None:
            return self._hand_out(take, take.waiting.popleft())
        self._draw(take)
        return None

    def _laid(self, lines: Lines) -> Past:
        """What was heard, on these lines: as it was fed if it lies there, else its last bars, laid anew."""
        there = self._now.past.on(lines)
        if there is not None and abs(self._sixteenth_s / lines.sixteenth_s - 1.0) <= SAME_TEMPO:
            return there
        notes = sorted(self._window, key=lambda note: note.onset_s)
        notes = [n for n in notes if n.onset_s > notes[-1].onset_s - _LAID_ANEW * lines.sixteenth_s]
        first = math.floor(lines.number(notes[0].onset_s) + 0.5)
        first -= first % lines.per  # a model begins with a bar
        past = Past(self._stepper.start(), 0, lines.begin_s(first))
        for note in notes:
            past = past.after(self._feeding, note, lines.sixteenth_s)
        return past

    # --- one sixteenth -------------------------------------------------------------------------------------------

    def _draw(self, take: _Take) -> None:
        """Draw the next sixteenth of a take."""
        plan, at_s, length_s = take.plan, take.at_s, take.sixteenth_s
        left = None if plan.notes_left is None else plan.notes_left - take.count
        over = at_s > plan.end_s - LAST_ONSET_S or left == 0
        if over and (not take.sounding or at_s >= plan.end_s):
            for pitch in list(take.sounding):
                take.sounding.pop(pitch).end_s = plan.end_s
            take.drawn = True
            return
        left = 0 if over else take.shape.left_before_closing(left)
        closes = not over and take.shape.closes(plan.first_index + take.count, (at_s, length_s), take.line)
        struck, held = self._drawn(take, 1 if closes and left == 0 else left, closes=closes)
        for pitch in [p for p in take.sounding if p in struck or p not in held]:
            take.sounding.pop(pitch).end_s = at_s
        before = Past(take.state, take.frame, at_s, tuple((p, at_s + length_s) for p in sorted(held)), frozenset())
        for pitch in struck:
            before = before.with_struck(pitch, at_s + length_s)
            take.line = take.line.after(at_s, pitch, closes=closes)
            take.sounding[pitch] = note = _Drawn(at_s, pitch, before, take.line)
            take.waiting.append(note)
            take.recent = (*take.recent, pitch)[-REMEMBERED:]
            take.struck_s = (*take.struck_s, at_s)[-64:]
            take.last_s = at_s
        take.count += len(struck)
        frame = (frozenset(struck) | held, frozenset(struck))
        take.state = self._stepper.feed(take.state, frame, (take.frame + 1) % PER_BAR)
        take.frame, take.number, take.at_s = take.frame + 1, take.number + 1, at_s + length_s
        if take.line.closed_s is not None:
            for pitch in list(take.sounding):
                take.sounding.pop(pitch).end_s = take.shape.close_until_s(at_s)
            take.drawn = True

    def _drawn(self, take: _Take, left: int | None, *, closes: bool) -> Drawn:
        """What is struck and what held in the next sixteenth, drawn anew where a figure would go round too often."""
        rules, chance = self._rules(take, left, closes=closes), _Chance(take.plan, take.number)
        for _ in range(_TRIES):
            struck, held = draw_frame(self._stepper, take.state, rules, chance)
            once_more = take.shape.goes_round(take.line, take.at_s, struck)
            if once_more is None:
                return struck, held
            nats = rules.nats.copy()
            nats[once_more] = math.inf
            rules = replace(rules, nats=nats)
        return tuple(pitch for pitch in struck if pitch != once_more), held

    def _rules(self, take: _Take, left: int | None, *, closes: bool) -> FrameRules:
        """What may sound in the next sixteenth; ``left`` notes may begin, None for as many as the ceilings allow; where
        it ``closes`` these are the last ones.
        """
        controls, ceilings = take.plan.controls, Ceilings.of(take.plan.controls)
        at_s, end_s = take.at_s, take.at_s + take.sixteenth_s
        lately = sum(1 for s in take.struck_s if s > at_s - _SECOND_S + _EARLY_S)
        most = max(ceilings.notes_per_s - lately, 0)
        holdable = frozenset(p for p, n in take.sounding.items() if end_s - n.begin_s <= ceilings.note_s + _EARLY_S)
        if take.pace is not None:
            soon = bool(take.struck_s) and at_s < take.struck_s[-1] + take.pace.gap_s - _EARLY_S
            most = 0 if soon else min(most, take.pace.together)
        chords = take.chords
        if chords is not None:  # what does not belong to the next chord ends where that begins
            holdable = frozenset(p for p in holdable if chords.until_s(p, take.sounding[p].begin_s) >= at_s)
        index, shape = take.plan.first_index + take.count, take.shape
        nats = pitch_nats(take.anywhen, take.recent, take.reach, hands=take.hands,
                          chord=None if chords is None else chords.nats(at_s), room=take.plan.context.room)  # fmt: skip
        nats = shape.shaped(nats, at_s, index, take.line)
        home = shape.home(at_s) if closes else None
        if closes:
            most, nats = min(most, MOST_IN_CHORD), shape.only_home(nats, at_s, take.line)
        if home is not None:
            holdable = frozenset(p for p in holdable if p % 12 in home)
        warmth = shape.warmth(at_s, index, take.line, NO_SURPRISE)
        first_of_all = take.number == 0 and take.plan.start_s is not None
        return FrameRules(
            nats=nats,
            holdable=holdable,
            most_struck=most if left is None else min(most, left),
            most_voices=_voices_of(controls, ceilings),
            must_strike=left != 0 and (first_of_all or closes or end_s > self._latest_s(take) + _EARLY_S),
            eagerness=math.log(controls.number("density")),
            time=_draw_of(controls, "temperature_time", warmth, nucleus=False),
            pitch=_draw_of(controls, "temperature_pitch", warmth, nucleus=True),
        )  # fmt: skip

    @staticmethod
    def _latest_s(take: _Take) -> float:
        """When the next note is to begin at the latest: no rest is long, and a short answer has room for three."""
        plan, last_s = take.plan, take.last_s
        latest_s = max(last_s, plan.not_before_s) + LONGEST_REST_S
        missing = FEWEST_NOTES - (plan.first_index + take.count)
        if missing > 0:
            latest_s = min(latest_s, last_s + max(plan.end_s - LAST_ONSET_S - last_s, 0.0) / (missing + 1))
        return latest_s

    def _hand_out(self, take: _Take, drawn: _Drawn) -> Made:
        """The note, within the ceilings, and earlier ones that end sooner because of it."""
        plan, before = take.plan, take.moments[-1]
        controls, ceilings = plan.controls, Ceilings.of(plan.controls)
        assert drawn.end_s is not None
        loud = round(sum(before.loud) / len(before.loud)) if before.loud else LOUDNESS
        onset_s = max(drawn.begin_s, before.hand.earliest_s(ceilings))
        duration_s = min(drawn.end_s, plan.end_s) - drawn.begin_s
        loudness = controls.number("velocity") * (1.0 if take.pace is None else ALONG_LOUDNESS)
        index, loud = plan.first_index + len(take.notes), round(loud * loudness)
        hand = before.hand.copy()
        note, shortened = hand.place(PlannedNote(plan.take, index, onset_s, drawn.pitch, duration_s, loud), ceilings)
        ends = tuple((n.pitch, n.end_s) for n in (*take.notes[-MOST_SILENT:], note) if n.end_s > drawn.begin_s)
        take.moments.append(
            replace(
                before,
                past=drawn.past.with_ends(ends),
                recent=(*before.recent, drawn.pitch)[-REMEMBERED:],
                hand=hand,
                line=drawn.line,
                struck_s=(*before.struck_s, note.onset_s)[-64:],
            )
        )
        take.notes.append(note)
        return note, shortened


class _Chance:
    """The draws of one sixteenth, each with a name of its own."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._key = (plan.turn, plan.candidate, plan.revision, number)
        self._seed = int(plan.controls["seed"])

    def __call__(self, draw: int) -> float:
        return uniform(self._seed, *self._key, draw)


def _beats(frame: int, at_s: float, sixteenth_s: float) -> BeatGrid:
    """The beats and bars of the model's grid, where a sixteenth begins at a time."""
    beat_s, bar_s = at_s - frame % PER_BEAT * sixteenth_s, at_s - frame % PER_BAR * sixteenth_s
    return BeatGrid(beat_s, PER_BEAT * sixteenth_s, PER_BAR // PER_BEAT, bar_s, clear=True)


def _draw_of(controls: Controls, factor: str, warmth: float, *, nucleus: bool) -> Draw:
    """How to choose; ``top_k`` and ``top_p`` choose among pitches alone, or a rare beginning would never be drawn."""
    temperature = controls.number("temperature") * controls.number(factor) * warmth
    if not nucleus:
        return Draw(temperature)
    return Draw(temperature, int(controls.number("top_k")), controls.number("top_p"))


def _lines_of(plan: Plan) -> Lines | None:
    return Lines.of(plan.context.beats, _bpm_of(plan.controls))


def _bpm_of(controls: Controls) -> float:
    """The tempo: of the control, where it says a number."""
    tempo = controls["tempo"]
    return TEMPO_BPM if isinstance(tempo, str) else float(tempo)


def _voices_of(controls: Controls, ceilings: Ceilings) -> int:
    """How many notes may sound together."""
    polyphony = controls["polyphony"]
    return ceilings.voices if isinstance(polyphony, str) else min(ceilings.voices, int(polyphony))


def _pace_of(plan: Plan) -> Pace | None:
    if plan.context.room is None:
        return None
    polyphony = plan.controls["polyphony"]
    together = None if isinstance(polyphony, str) else int(polyphony)
    return Pace.beside(plan.context, plan.controls.number("density"), together)
