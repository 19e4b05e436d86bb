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
from dataclasses import dataclass, field, replace
from typing import Final

from livemuse.model.chordpull import ChordPull
from livemuse.model.grid_draw import FrameRules, draw_frame
from livemuse.model.grid_past import MOST_SILENT, SAME_TEMPO, Feeding, Lines, Past
from livemuse.model.grid_stepper import GridState, GridStepper
from livemuse.model.manners import Hands, hands_of
from livemuse.model.memory import FEWEST_NOTES, LAST_ONSET_S, Memory, Remembering
from livemuse.model.pace import ALONG_LOUDNESS, Pace
from livemuse.model.pitches import HEARD_PITCHES, REMEMBERED, Reach, pitch_nats, reach_of
from livemuse.music.ceilings import LONGEST_REST_S, Ceilings, Hand
from livemuse.music.chance import uniform
from livemuse.music.controls import TEMPO_BPM, Controls
from livemuse.music.grid import PER_BAR, PER_BEAT, sixteenth_s
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.sampling import Draw
from livemuse.music.schedule import Extension, Plan
from livemuse.music.styles import NO_STYLE

LOUDNESS: Final = 80  # of an answer to nothing
_LAST_VELOCITIES: Final = 24  # notes of the player whose mean is the loudness of an answer
_SECOND_S: Final = 1.01  # "in any second", as in the ceilings
_EARLY_S: Final = 1e-6  # what rounding may add up to
_NEAREST: Final = 0.5  # of a sixteenth: a beat that is heard is the one that is nearest
_LAID_ANEW: Final = 6 * PER_BAR  # sixteenths


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything the next sixteenth depends on, after some note."""

    past: Past
    recent: tuple[int, ...] = ()  # pitches of whoever played, oldest first
    heard: tuple[int, ...] = ()  # pitches of the player alone
    velocities: tuple[int, ...] = ()  # of the player
    loud: tuple[int, ...] = ()  # the same, for a model that plays after this one
    hand: Hand = field(default_factory=Hand)  # never changed once it is in a moment
    struck_s: tuple[float, ...] = ()  # when livemuse struck its last notes
    mix: str = NO_STYLE  # the control `style`, handed on to a model that knows styles


@dataclass(slots=True)
class _Drawn:
    """A note that was drawn, and the moment after it, but for how long it lasts."""

    begin_s: float
    pitch: int
    past: Past  # its sixteenth, up to this note
    end_s: float | None = None


@dataclass(slots=True)
class _Take:
    plan: Plan
    anywhen: Controls  # without the key where there are chords, which have it in them
    chords: ChordPull | None
    reach: Reach | None
    hands: Hands
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

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; what is not final of the call is fed for this take alone."""
        bpm = _bpm_of(plan.controls)
        lines = Lines.of(plan.context.beats, bpm)
        length_s = sixteenth_s(bpm) if lines is None else lines.sixteenth_s
        if lines is not None and not self._now.past.nothing_yet:
            self._now = replace(self._now, past=self._laid(lines))
        self._sixteenth_s = length_s
        moment = self._now
        for note in plan.tail:
            moment = self._after(moment, note)
        past = moment.past
        if plan.start_s is not None:
            early = _EARLY_S if lines is None else _NEAREST
            past = past.until(self._feeding, plan.start_s, length_s, PER_BEAT, early=early)
            at_s = last_s = plan.start_s
        else:
            past = past.until(self._feeding, plan.not_before_s, length_s, 1)
            at_s = past.at_s
            last_s = moment.struck_s[-1] if moment.struck_s else plan.not_before_s
        chords = ChordPull.of(plan.controls, at_s if plan.first_beat_s is None else plan.first_beat_s)
        self._takes[plan.take] = _Take(
            plan, plan.controls if chords is None else plan.controls.replaced("key", "off"), chords,
            reach_of(moment.heard), hands_of(moment.heard), length_s, [moment], past.state, past.frame, at_s, last_s,
            _pace_of(plan), recent=moment.recent, struck_s=moment.struck_s,
        )  # fmt: skip

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        """Up to ``most`` more notes, until one lies past ``until_s``; nothing for a take that is settled."""
        take = self._takes.get(take_id)
        if take is None:
            return Extension(take_id, (), (), True)
        notes: list[PlannedNote] = []
        shortened: list[PlannedNote] = []
        while len(notes) < most and (not take.notes or take.notes[-1].onset_s <= until_s):
            if take.waiting and take.waiting[0].end_s is not None:
                made = self._hand_out(take, take.waiting.popleft())
                notes.append(made[0])
                shortened += made[1]
            elif not take.drawn:
                self._draw(take)
            else:
                break
        return Extension(take_id, tuple(notes), tuple(shortened), take.drawn and not take.waiting)

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """Nothing: a model on a grid is not asked how long a silence may be."""
        return ()

    # --- what was heard ------------------------------------------------------------------------------------------

    def _after(self, moment: _Moment, note: Note) -> _Moment:
        return replace(
            moment,
            past=moment.past.after(self._feeding, note, self._sixteenth_s),
            recent=(*moment.recent, note.pitch)[-REMEMBERED:],
            heard=(*moment.heard, note.pitch)[-HEARD_PITCHES:],
            velocities=(*moment.velocities, note.velocity)[-_LAST_VELOCITIES:],
            loud=(*moment.loud, note.velocity)[-_LAST_VELOCITIES:],
        )

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
        rules = self._rules(take, 0 if over else left)
        struck, held = draw_frame(self._stepper, take.state, rules, _Chance(plan, take.number))
        for pitch in [p for p in take.sounding if p in struck or p not in held]:
            take.sounding.pop(pitch).end_s = at_s
        before = Past(take.state, take.frame, at_s, tuple((p, at_s + length_s) for p in sorted(held)), frozenset())
        for pitch in struck:
            before = before.with_struck(pitch, at_s + length_s)
            take.sounding[pitch] = note = _Drawn(at_s, pitch, before)
            take.waiting.append(note)
            take.recent = (*take.recent, pitch)[-REMEMBERED:]
            take.struck_s = (*take.struck_s, at_s)[-64:]
            take.last_s = at_s
        take.count += len(struck)
        frame = (frozenset(struck) | held, frozenset(struck))
        take.state = self._stepper.feed(take.state, frame, (take.frame + 1) % PER_BAR)
        take.frame, take.number, take.at_s = take.frame + 1, take.number + 1, at_s + length_s

    def _rules(self, take: _Take, left: int | None) -> FrameRules:
        """What may sound in the next sixteenth; ``left`` notes may begin, None for as many as the ceilings allow."""
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
        first_of_all = take.number == 0 and take.plan.start_s is not None
        return FrameRules(
            nats=pitch_nats(take.anywhen, take.recent, take.reach, hands=take.hands,
                            chord=None if chords is None else chords.nats(at_s), room=take.plan.context.room),
            holdable=holdable,
            most_struck=most if left is None else min(most, left),
            most_voices=_voices_of(controls, ceilings),
            must_strike=left != 0 and (first_of_all or end_s > self._latest_s(take) + _EARLY_S),
            eagerness=math.log(controls.number("density")),
            time=_draw_of(controls, "temperature_time", nucleus=False),
            pitch=_draw_of(controls, "temperature_pitch", nucleus=True),
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

    def _hand_out(self, take: _Take, drawn: _Drawn) -> tuple[PlannedNote, list[PlannedNote]]:
        """The note, within the ceilings, and earlier ones that end sooner because of it."""
        plan, before = take.plan, take.moments[-1]
        controls, ceilings = plan.controls, Ceilings.of(plan.controls)
        assert drawn.end_s is not None
        loud = round(sum(before.velocities) / len(before.velocities)) if before.velocities else LOUDNESS
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
                struck_s=(*before.struck_s, note.onset_s)[-64:],
            )
        )
        take.notes.append(note)
        return note, shortened


class _Chance:
    """The draws of one sixteenth, each with a name of its own."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._key = (plan.turn, 0, plan.revision, number)  # 0: the only candidate
        self._seed = int(plan.controls["seed"])

    def __call__(self, draw: int) -> float:
        return uniform(self._seed, *self._key, draw)


def _draw_of(controls: Controls, factor: str, *, nucleus: bool) -> Draw:
    """How to choose; ``top_k`` and ``top_p`` choose among pitches alone, or a rare beginning would never be drawn."""
    temperature = controls.number("temperature") * controls.number(factor)
    if not nucleus:
        return Draw(temperature)
    return Draw(temperature, int(controls.number("top_k")), controls.number("top_p"))


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
