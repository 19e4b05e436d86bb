"""The best of several answers: what speaks against each, in numbers that can be read, and how much each thing weighs.

Every candidate costs something for each of ``TERMS``; the one that costs least is played. No term is a matter of more
is better: what is likelier than the call itself was is as far from it as what is less likely, so a dull repetition does
not win; and a term is 0 where nothing is known (no key heard, nothing played yet).

- ``surprise``: how far the mean surprise of a pitch, the nats it costs under the network at temperature 1, is from what
  is usual in the player's playing.
- ``unrelated``: how much less the call helps to expect this answer than it might: the mean log-likelihood of a note
  after nothing but the answer's own beginning, less that after the call too (nats). Choosing by it is choosing by
  mutual information (Li et al. 2016), which is what keeps likelihood alone from choosing what would fit anything.
- ``classes``: how surprising its pitch classes are where one knows only how long each sounded in the call's last notes
  (nats more than the call's own).
- ``register``: octaves from the middle of the call's last notes to its own, beyond half an octave.
- ``density``: how many times as busy or as slow it is as the call (octaves of notes a second, beyond half of one).
- ``outside``: the share of its notes outside the key.
- ``open``: 1 where its last note is no tone of the tonic triad, 0 where it is; between them where notes struck together
  with it are.
- ``short``: the share of the planned time in which it has nothing more to say.
- ``loop``: the share of its notes in figures of up to four notes that come again and again.
- ``copied``: how much longer than a motif its longest run of pitches is that stood in the call or in the answer before
  (1 for each ten notes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from livemuse.music.notes import Note, PlannedNote
from livemuse.music.theory import Key

RECENT_NOTES: Final = 60  # of the call: where the music is now
WEIGHTS: Final[Mapping[str, float]] = {
    "surprise": 0.3,
    "unrelated": 2.0,
    "classes": 1.0,
    "register": 0.3,
    "density": 0.3,
    "outside": 1.0,
    "open": 1.0,
    "short": 1.0,
    "loop": 3.0,
    "copied": 1.0,
}
"""What a unit of each term costs. Chosen on pieces of the training split (docs/training/evaluation.md)."""
TERMS: Final = tuple(WEIGHTS)
TOGETHER_S: Final = 0.05  # what is struck so close is one chord
_NEAR_OCTAVES: Final = 0.5
_SMOOTHING: Final = 0.05  # of all sound, in pitch classes that did not sound
_LOOPS: Final = {1: 6, 2: 4, 3: 3, 4: 3}  # notes of a figure -> how many times in a row are a loop
_MOTIF: Final = 12  # notes: a run so long may come back
_TENTH: Final = 10.0


Sounding = Note | PlannedNote


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer is held against: the call, the answer before, the key, and when it is to end."""

    call: Sequence[Sounding] = ()
    before: Sequence[Sounding] = ()
    key: Key | None = None
    end_s: float = math.inf
    usual_surprise: float | None = None  # of the player's pitches


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer as far as it was rolled ahead, and what the network made of it (in nats; None: not asked)."""

    notes: Sequence[Sounding]
    surprise: float | None = None  # of a pitch
    related: float | None = None  # by how much a note is likelier after the call than after nothing
    whole: bool = True  # rolled to its end


def terms(candidate: Candidate, wanted: Wanted) -> dict[str, float]:
    """What speaks against a candidate, by the names of ``TERMS``; each 0 or more, but ``unrelated``, which has no zero.

    An answer without notes has nothing to say: it is short by all of its time.
    """
    notes, call = candidate.notes, wanted.call[-RECENT_NOTES:]
    found = dict.fromkeys(TERMS, 0.0)
    if not notes:
        return found | {"short": 1.0}
    if candidate.surprise is not None and wanted.usual_surprise is not None:
        found["surprise"] = abs(candidate.surprise - wanted.usual_surprise)
    if candidate.related is not None:
        found["unrelated"] = -candidate.related
    if call:
        found["classes"] = _classes(notes, call)
        apart = abs(median(n.pitch for n in notes) - median(n.pitch for n in call)) / 12
        found["register"] = max(apart - _NEAR_OCTAVES, 0.0)
        rates = [_notes_per_s(side) for side in (notes, call)]
        if all(rates):
            found["density"] = max(abs(math.log2(rates[0] / rates[1])) - _NEAR_OCTAVES, 0.0)
    if wanted.key is not None:
        found["outside"] = _outside(notes, wanted.key.pitch_classes)
        if candidate.whole:
            together = [n for n in notes if n.onset_s > notes[-1].onset_s - TOGETHER_S]
            found["open"] = _outside(together, wanted.key.tonic_triad)
    if candidate.whole and math.isfinite(wanted.end_s):
        planned_s = wanted.end_s - notes[0].onset_s
        found["short"] = max(wanted.end_s - max(n.end_s for n in notes), 0.0) / max(planned_s, 1e-3)
    pitches = [n.pitch for n in notes]
    found["loop"] = looping(pitches)
    known = [[n.pitch for n in side] for side in (wanted.call, wanted.before)]
    found["copied"] = max(max(longest_run(pitches, side) for side in known) - _MOTIF, 0) / _TENTH
    return found


def cost(candidate: Candidate, wanted: Wanted, weights: Mapping[str, float] = WEIGHTS) -> float:
    """All that speaks against a candidate, weighed; the least is the best."""
    return sum(weights[name] * value for name, value in terms(candidate, wanted).items())


def ranked(candidates: Sequence[Candidate], wanted: Wanted) -> list[int]:
    """The numbers of the candidates, the best first; of equals the lower number first."""
    costs = [cost(candidate, wanted) for candidate in candidates]
    return sorted(range(len(costs)), key=lambda k: (costs[k], k))


def looping(pitches: Sequence[int]) -> float:
    """The share of notes in figures of up to four notes that come again and again, 0 to 1."""
    inside = [False] * len(pitches)
    for length, times in _LOOPS.items():
        same = 0  # notes in a row that are what they were a figure before
        for k in range(length, len(pitches)):
            same = same + 1 if pitches[k] == pitches[k - length] else 0
            if same >= (times - 1) * length:
                inside[k - same - length + 1 : k + 1] = [True] * (same + length)
    return sum(inside) / len(pitches) if pitches else 0.0


def longest_run(pitches: Sequence[int], known: Sequence[int]) -> int:
    """How many pitches in a row stand in ``known`` in the same order."""
    places: dict[int, list[int]] = {}
    for place, pitch in enumerate(known):
        places.setdefault(pitch, []).append(place)
    longest, ending = 0, dict[int, int]()  # place in known -> notes of the run that ends there
    for pitch in pitches:
        ending = {place: ending.get(place - 1, 0) + 1 for place in places.get(pitch, ())}
        longest = max([longest, *ending.values()])
    return longest


def _classes(notes: Sequence[Sounding], call: Sequence[Sounding]) -> float:
    """Nats a note by which the pitch classes surprise more than the call's own, by how long each sounded there."""
    sounded = [_SMOOTHING / 12] * 12
    total = sum(n.duration_s for n in call) or 1.0
    for n in call:
        sounded[n.pitch % 12] += (1.0 - _SMOOTHING) * n.duration_s / total
    nats = [-math.log(share) for share in sounded]
    own = sum(nats[n.pitch % 12] for n in call) / len(call)
    return max(sum(nats[n.pitch % 12] for n in notes) / len(notes) - own, 0.0)


def _notes_per_s(notes: Sequence[Sounding]) -> float:
    passed_s = notes[-1].onset_s - notes[0].onset_s
    return (len(notes) - 1) / passed_s if passed_s > 0.0 else 0.0


def _outside(notes: Sequence[Sounding], classes: frozenset[int]) -> float:
    return sum(n.pitch % 12 not in classes for n in notes) / len(notes)
