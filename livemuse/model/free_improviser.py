"""Improvising in free time, with a model of the family ``performance``: one note after another.

It owns the model's state. Planned notes keep a snapshot each, so that going back to the last one that sounded costs
nothing. Pure but for the model: the same calls in the same order give the same notes.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from livemuse.model.beam import Beam
from livemuse.model.conversation import Ask, Talk, alone
from livemuse.model.expecting import Peek, silence_shares
from livemuse.model.free_take import Moment, Take
from livemuse.model.imitating import Imitating, Material, Wish, cleared, of_player, own_pitch, wish
from livemuse.model.manners import (
    LAST_VELOCITIES,
    TOGETHER_S,
    crowd_nats,
    hands_of,
    loudness_nats,
    struck_together,
)
from livemuse.model.memory import FEWEST_NOTES, LAST_ONSET_S, Made, Memory, Remembering
from livemuse.model.pace import about_to, too_soon_nats
from livemuse.model.pitches import HEARD_PITCHES, REMEMBERED, Nats, pitch_nats, reach_of, room_nats
from livemuse.model.rolling import MOST_ROLLED, Rolling, Tally, TogetherRolling
from livemuse.model.rules import Rules
from livemuse.model.shaping import MOST_IN_CHORD, Shaping, surprise_nats
from livemuse.model.telling import begun, in_style, telling, told_of
from livemuse.music.ceilings import LONGEST_REST_S, SHORTEST_SOUND_S
from livemuse.music.following import Proposal
from livemuse.music.loops import NOTHING_STRUCK
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.protocols import Stepper
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import VOCABULARY, Vocabulary

_RESTRIKE_S: Final = 0.06  # the same pitch is not struck again sooner
_LIKELIEST: Final = 16  # pitches that are weighed where the first does not suit its chord


class FreeImproviser(Remembering[Moment, Take]):
    """One partner with a memory: what was heard and played, and the takes being made."""

    def __init__(self, stepper: Stepper, memory: Memory | None = None, vocabulary: Vocabulary = VOCABULARY) -> None:
        self._stepper = stepper
        self._vocabulary = vocabulary
        told = memory if memory is not None else Memory()
        super().__init__(Moment(begun(stepper, told.mix), None, (), (), told.hand, told.mix))
        self.listen(told.window)
        self._now, self._motifs = replace(self._now, heard=told.heard, loud=told.loud), told.motifs.copy()
        self._peek, self._tail = Peek(self._now), Peek(self._now, exact=True)
        self._material = Material()
        self._due_s: float | None = None  # of the first note that the take settled last did not come to, in mode duet

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; what was planned after it never was."""
        take, self._due_s = self._takes.get(take_id), None
        if take is not None and take.rules.pace is not None:
            played = 0 if last_index is None else last_index - take.plan.first_index + 1
            if played == len(take.notes) and not take.done:  # whether it was made already is chance
                self._next(take)
            self._due_s = take.notes[played].onset_s if played < len(take.notes) else None
        super().settle(take_id, last_index)

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """How likely it is, after what was heard and this tail, that nothing is struck for each of ``SILENCES_S``."""
        moment = self._peek.after(self._now, tail, self._after)
        return silence_shares(self._stepper, moment.state, self._vocabulary)

    # --- several answers -----------------------------------------------------------------------------------------

    def _after_tail(self, plan: Plan) -> Moment:
        moment = in_style(self._stepper, self._now, plan.controls.text("style"))
        moment = self._tail.after(moment, plan.tail, self._after)
        if plan.revision > 0:
            return moment
        return replace(moment, following=moment.following.begun(), line=NOTHING_STRUCK)

    def _open(self, plan: Plan, moment: Moment) -> Take:
        rules, reach, hands = Rules(plan), reach_of(moment.heard), hands_of(moment.heard)
        nats = pitch_nats(of_player(rules.anywhen), (), reach, hands=hands, room=rules.room)
        shape = Shaping(plan, reach, rules.chords)
        imitating = Imitating(self._material.after(self._motifs, plan), nats, shape.tunes_end_s)
        exact_s = about_to(plan, self._due_s) if plan.start_s is None else plan.start_s
        return Take(
            plan, rules, reach, hands, [moment], [], imitating, shape, np.zeros(128), exact_s=exact_s, path=plan.path
        )

    def _next(self, take: Take) -> Made | None:
        return alone(self._more(take), self._stepper)

    def _candidates(self, plan: Plan, count: int) -> Rolling:
        moment = self._after_tail(plan)
        takes = [self._open(replace(plan, candidate=k), moment) for k in range(count)]
        if takes[0].rules.cold:
            return Beam(takes[0], self._branch, self._stepper, count)
        talks, tally = (
            [self._whole(take) for take in takes],
            Tally(self._stepper, count, begun(self._stepper, moment.mix)),
        )
        return TogetherRolling(takes, talks, tally, self._stepper, self._wanted(plan, moment.surprise.player))

    def _whole(self, take: Take) -> Talk[None]:
        while not take.done and len(take.notes) < MOST_ROLLED:
            yield from self._more(take)

    def _branch(self, take: Take, most: int) -> list[tuple[float, Take, Talk[Any]]]:
        """The likeliest next pitches of a take, each with its log-likelihood under all rules, and how it goes on."""
        moment, at_s = take.moments[-1], take.plan.not_before_s
        take.expects = self._stepper.logits(moment.state, "pitch", ())
        proposal = take.imitating.proposal(moment.following, max(moment.onset_s or at_s, at_s), 0.0)
        proposal = take.shape.spared(proposal, moment.line)
        nats = np.asarray(cleared(take.expects, proposal) - self._pitch_nats(take), np.float64)
        first = take.rules.mixed(nats, "pitch", take.index, proposal.weights)[0]
        nats -= np.logaddexp.reduce(nats)
        likely = [int(p) for p in np.argsort(-nats, kind="stable")[:most] if np.isfinite(nats[p]) and p != first]
        forks = [(float(nats[p]), take.fork(p)) for p in (first, *likely[: most - 1])]
        return [(found, fork, self._more(fork)) for found, fork in forks]

    def _back(self, moment: Moment, late_s: float) -> Moment:
        return replace(moment, onset_s=moment.onset_s and moment.onset_s + late_s, hand=self._now.hand)

    # --- one note ------------------------------------------------------------------------------------------------

    def _after(self, moment: Moment, note: Note) -> Moment:
        step_s = 0.0 if moment.onset_s is None else max(note.onset_s - moment.onset_s, 0.0)
        words = self._vocabulary
        surprise = moment.surprise.heard(surprise_nats(self._stepper.logits(moment.state, "pitch", ()), note.pitch))
        fed = (
            note.pitch,
            words.step_bin(step_s),
            words.duration_bin(note.duration_s),
            words.velocity_bin(note.velocity),
        )
        moment = told_of(self._stepper, moment, fed)
        onset_s = note.onset_s if moment.onset_s is None else max(note.onset_s, moment.onset_s)
        recent = (*moment.recent, note.pitch)[-REMEMBERED:]
        heard, loud = (*moment.heard, note.pitch)[-HEARD_PITCHES:], (*moment.loud, note.velocity)[-LAST_VELOCITIES:]
        following = moment.following.heard(onset_s, note.pitch)
        return replace(
            moment, onset_s=onset_s, recent=recent, heard=heard, loud=loud, following=following, surprise=surprise
        )

    def _more(self, take: Take) -> Talk[Made | None]:
        """The next note and earlier ones that end sooner because of it; None where the take is done."""
        made = yield from self._next_note(take)
        left = take.plan.notes_left
        take.done = take.done or made is None or (left is not None and len(take.notes) >= left)
        return made

    def _next_note(self, take: Take) -> Talk[Made | None]:
        plan, moment, rules, index = take.plan, take.moments[-1], take.rules, take.index
        take.expects = yield Ask("pitch", moment.state, ())
        if moment.line.closed_s is not None:
            return (yield from self._also_closing(take, moment.line.closed_s))
        at_s = plan.not_before_s if moment.onset_s is None else max(moment.onset_s, plan.not_before_s)
        rules.warm(take.shape.warmth(at_s, index, moment.line, moment.surprise))
        whose = rules.whose(index)
        proposal = take.shape.spared(take.imitating.proposal(moment.following, at_s, whose), moment.line)
        drawn, wished = self._pitch(take, proposal)
        pitch = drawn
        exact_s = take.exact_s if not take.notes else None
        timed = (yield from self._onset(take, pitch, wished)) if exact_s is None else self._exact(moment, exact_s)
        tune = moment.following.statement is not None
        closing = take.shape.closing_s(index, math.inf if timed is None else timed[0], moment.line, tune=tune)
        if closing is not None:
            return (yield from self._closing(take, *closing))
        if timed is None:
            return None
        onset_s, step_bin = timed
        if not take.notes:
            onset_s = max(onset_s, moment.hand.earliest_s(rules.ceilings))
        if rules.chords is not None:
            nats = rules.chords.nats(onset_s)
            if wished.own:
                pitch = own_pitch(pitch, nats if rules.room is None else nats + room_nats(rules.room))
            else:
                pitch = yield from self._in_chord(take, nats, pitch, (onset_s, step_bin))
        made = yield from self._struck(take, (pitch, step_bin), onset_s, wished)
        following = take.imitating.after(moment.following, proposal if wished.own else None, made[0], drawn)
        take.moments[-1] = replace(take.moments[-1], following=following)
        return made

    def _struck(
        self, take: Take, drawn: tuple[int, int], onset_s: float, wished: Wish, *, closes: bool = False
    ) -> Talk[Made]:
        """The note with a (pitch, step bin), how long and how loud it is; it is what the model heard last."""
        plan, moment, rules = take.plan, take.moments[-1], take.rules
        duration_bin, duration_s = yield from self._length(take, drawn, onset_s, wished, closes=closes)
        velocity_bin, velocity = yield from self._velocity(take, (*drawn, duration_bin))
        duration_s, loud = min(duration_s, plan.end_s - onset_s), round(velocity * rules.loudness)
        hand = moment.hand.copy()
        planned = PlannedNote(plan.take, take.index, onset_s, drawn[0], duration_s, loud)
        note, shortened = hand.place(planned, take.voices(onset_s))
        surprise = moment.surprise.played(surprise_nats(take.expects, drawn[0]))
        state, told = yield from telling(moment, (*drawn, duration_bin, velocity_bin), self._stepper.labels)
        take.moments.append(replace(
            moment, state=state, onset_s=note.onset_s, recent=(*moment.recent, drawn[0])[-REMEMBERED:], hand=hand,
            told=told, line=moment.line.after(note.onset_s, drawn[0], closes=closes),
            surprise=surprise,
        ))  # fmt: skip
        take.notes.append(note)
        return note, shortened

    def _closing(self, take: Take, onset_s: float, until_s: float) -> Talk[Made | None]:
        """The first note of the last onset; what still sounds and does not belong to it ends there."""
        moment = take.moments[-1]
        onset_s = max(onset_s, moment.hand.earliest_s(take.rules.ceilings))
        if onset_s > take.plan.end_s - SHORTEST_SOUND_S:
            return None
        nats, single = self._pitch_nats(take), take.closing_room == 1
        logits = take.shape.closing(take.expects, nats, onset_s, moment.line, alone=single)
        drawn = take.rules.draw(logits, "pitch", take.index), self._exact(moment, onset_s)[1]
        note, shortened = yield from self._struck(take, drawn, onset_s, Wish(duration_s=until_s - onset_s), closes=True)
        ended, home = {n.index for n in shortened}, take.shape.home(onset_s)
        for other in moment.hand.sounding(take.plan.take, onset_s):
            if home is not None and other.index not in ended and other.pitch % 12 not in home:
                shortened.append(replace(other, duration_s=onset_s - other.onset_s))
        return note, shortened

    def _also_closing(self, take: Take, onset_s: float) -> Talk[Made | None]:
        """One more note of the last onset, where the model strikes one with it, or that is a bass alone so far."""
        moment, rules = take.moments[-1], take.rules
        chord = [n for n in take.notes[-MOST_IN_CHORD:] if n.onset_s >= onset_s]
        if not chord or take.closing_room <= len(chord):
            return None
        at_s = max(chord[-1].onset_s, moment.hand.earliest_s(rules.ceilings))
        if at_s > onset_s + TOGETHER_S:
            return None
        logits = take.shape.also_closing(take.expects, self._pitch_nats(take), onset_s, moment.line)
        if logits is None:
            return None
        pitch = rules.draw(logits, "pitch", take.index)
        step_bin, step_s = yield from self._step(take, pitch, (0, self._vocabulary.sizes["step"] - 1))
        if step_s / rules.density > TOGETHER_S:
            if not take.shape.wants_more(moment.line):
                return None
            step_bin = 0
        wished = Wish(duration_s=chord[0].duration_s)
        return (yield from self._struck(take, (pitch, step_bin), at_s, wished, closes=True))

    def _pitch_nats(self, take: Take, chord: Nats | None = None) -> Nats:
        moment, plan = take.moments[-1], take.plan
        rules = take.rules
        nats = pitch_nats(rules.anywhen, moment.recent, take.reach, hands=take.hands, chord=chord, room=rules.room)
        at_s = plan.not_before_s if moment.onset_s is None else max(moment.onset_s, plan.not_before_s)
        return take.shape.shaped(nats, at_s, take.index, moment.line)

    def _pitch(self, take: Take, proposal: Proposal) -> tuple[int, Wish]:
        """The next pitch, and what the player's material wishes of its note."""
        logits, nats = cleared(take.expects, proposal), self._pitch_nats(take)
        shares = {p: share for p, share in proposal.weights.items() if nats[p] < math.inf}
        pitch, own = take.rules.mixed(logits - nats, "pitch", take.index, shares)
        if len(take.notes) < len(take.path) and pitch != take.path[len(take.notes)]:
            pitch, own = take.path[len(take.notes)], False
        return pitch, wish(proposal, pitch, own)

    def _in_chord(self, take: Take, of_chord: Nats, pitch: int, when: tuple[float, int]) -> Talk[int]:
        """The pitch that was drawn, or one in its place that suits the chord of its (onset, step bin) better.

        A pitch is drawn before its onset is known. So it is kept with the probability that the chord leaves it, and
        else drawn again from what the model expects to be struck at just that step, by Bayes: together this is the
        model's own distribution of steps, and of pitches given the step, less the nats of the chord.
        """
        onset_s, step_bin = when
        if take.rules.stays(float(of_chord[pitch]), take.index):
            return pitch
        state = take.moments[-1].state
        logits = take.expects - self._pitch_nats(take, of_chord)
        struck = {n.pitch for n in take.notes[-8:] if n.onset_s > onset_s - _RESTRIKE_S}
        free = np.array([p not in struck for p in range(len(logits))])
        if np.isfinite(logits[free]).any():
            logits = np.where(free, logits, -np.inf)
        scores = np.full(len(logits), -np.inf)
        for likely in np.argsort(-logits, kind="stable")[:_LIKELIEST]:
            if np.isfinite(logits[likely]):
                steps = np.asarray((yield Ask("step", state, (int(likely),))), np.float64)
                scores[likely] = logits[likely] + steps[step_bin] - np.logaddexp.reduce(steps)
        return take.rules.draw_again(scores, take.index)

    def _exact(self, moment: Moment, start_s: float) -> tuple[float, int]:
        step_s = 0.0 if moment.onset_s is None else max(start_s - moment.onset_s, 0.0)
        return start_s, self._vocabulary.step_bin(step_s)

    def _onset(self, take: Take, pitch: int, wished: Wish) -> Talk[tuple[float, int] | None]:
        """(onset, step bin) of the next note, or None where none fits before the end."""
        plan, moment, rules = take.plan, take.moments[-1], take.rules
        previous_s = moment.onset_s if moment.onset_s is not None else plan.not_before_s
        struck_s = max((n.onset_s for n in take.notes[-8:] if n.pitch == pitch), default=float("-inf"))
        earliest_s = max(previous_s, plan.not_before_s, moment.hand.earliest_s(rules.ceilings), struck_s + _RESTRIKE_S)
        latest_s = max(previous_s, plan.not_before_s) + LONGEST_REST_S
        free_s = earliest_s
        if rules.pace is not None:
            free_s = max(earliest_s, moment.hand.last_onset_s + rules.pace.gap_s)
            latest_s = max(latest_s, free_s)
            earliest_s = earliest_s if rules.pace.joins(take.notes, previous_s) else free_s
        missing = FEWEST_NOTES - take.index
        if missing > 0:
            latest_s = min(latest_s, previous_s + max(plan.end_s - LAST_ONSET_S - previous_s, 0.0) / (missing + 1))
        if wished.before_s is not None:
            latest_s = min(latest_s, max(wished.before_s, earliest_s))
        if earliest_s > plan.end_s - LAST_ONSET_S:
            return None
        words = self._vocabulary
        low = words.step_bin((earliest_s - previous_s) * rules.density)
        high = max(words.step_bin((latest_s - previous_s) * rules.density), low)
        step_bin, step_s = (
            (yield from self._step(take, pitch, (low, high), free_s - previous_s))
            if wished.step_s is None
            else (min(max(words.step_bin(wished.step_s), low), high), wished.step_s)
        )
        onset_s = previous_s + step_s / rules.density
        onset_s = max(min(onset_s, latest_s), earliest_s)
        if rules.pace is not None:
            onset_s = rules.pace.on_beat_s(onset_s, free_s, previous_s)
        return (onset_s, step_bin) if onset_s <= plan.end_s - LAST_ONSET_S else None

    def _step(self, take: Take, pitch: int, within: tuple[int, int], free_s: float = 0.0) -> Talk[tuple[int, float]]:
        """(bin, seconds) of the time since the last onset."""
        rules, words, (low, high) = take.rules, self._vocabulary, within
        logits = yield Ask("step", take.moments[-1].state, (pitch,))
        if rules.polyphony is not None:
            together = struck_together([n.onset_s for n in take.notes[-16:]])
            crowd = crowd_nats(rules.polyphony, together, words, rules.density)
            logits = logits if crowd is None else logits - crowd
        if rules.pace is not None:
            logits = logits - too_soon_nats(words, free_s, low)
        step_bin = low + rules.draw(logits[low : high + 1], "step", take.index)
        return step_bin, rules.inside(words, "step", step_bin, take.index)

    def _length(
        self, take: Take, drawn: tuple[int, int], onset_s: float, wished: Wish, *, closes: bool
    ) -> Talk[tuple[int, float]]:
        """(bin, seconds) of the duration; what does not belong to the next chord ends where that begins."""
        chords, words = None if closes else take.rules.chords, self._vocabulary
        if wished.duration_s is not None:
            longest_s = math.inf if chords is None else chords.until_s(drawn[0], onset_s) - onset_s
            duration_s = min(wished.duration_s, longest_s)
            return words.duration_bin(duration_s), duration_s
        if chords is None:
            return (yield from self._value(take, "duration", drawn, None))
        nats = chords.length_nats(drawn[0], onset_s, np.array(words.duration_edges_s[:-1]))
        duration_bin, duration_s = yield from self._value(take, "duration", drawn, nats)
        return duration_bin, min(duration_s, chords.until_s(drawn[0], onset_s) - onset_s)

    def _velocity(self, take: Take, drawn: tuple[int, int, int]) -> Talk[tuple[int, float]]:
        """(bin, velocity)."""
        loud = take.moments[0].loud
        nats = loudness_nats(take.rules.controls.number("dynamics"), loud, self._vocabulary)
        return (yield from self._value(take, "velocity", drawn, nats))

    def _value(self, take: Take, head: str, drawn: tuple[int, ...], nats: Nats | None) -> Talk[tuple[int, float]]:
        """(bin, number inside it) of the duration or velocity, some of which cost ``nats``."""
        logits = yield Ask(head, take.moments[-1].state, drawn)
        value = take.rules.draw(logits if nats is None else logits - nats, head, take.index)
        return value, take.rules.inside(self._vocabulary, head, value, take.index)
