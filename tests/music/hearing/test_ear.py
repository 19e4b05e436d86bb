"""What is heard, joined to the duet: controls that say ``auto``, the beat an answer begins on, a key that is locked."""

from collections.abc import Sequence

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.music.chords import parse_chord
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.hearing.ear import ON_BEAT_S, Ear
from livemuse.music.notes import KeyDown, Note
from livemuse.music.progressions import C_MAJOR, progression
from livemuse.music.schedule import Plan
from livemuse.testing.scripted import ScriptedStepper

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
BEAT_S = 0.6  # 100 bpm


class Planned(Improviser):
    """An improviser that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(ScriptedStepper())
        self.plans: list[Plan] = []

    def begin(self, plan: Plan) -> None:
        self.plans.append(plan)
        super().begin(plan)


def evening(**values: object) -> tuple[Evening, Planned]:
    controls = Controls()
    for name, value in values.items():
        controls = controls.replaced(name, value)
    partner = Planned()
    return Evening(Duet(controls), partner), partner


def steady(pitches: Sequence[int], from_s: float = 0.0, beat_s: float = BEAT_S) -> list[Note]:
    """Eighths, the first of each two louder and over a bass on the beat."""
    notes = [
        Note(from_s + k * beat_s / 2, p, beat_s / 2 - 0.02, 95 if k % 2 == 0 else 70) for k, p in enumerate(pitches)
    ]
    bass = [Note(from_s + k * beat_s, pitches[0] - 12, beat_s - 0.05, 80) for k in range(len(pitches) // 2)]
    return sorted([*notes, *bass], key=lambda n: (n.onset_s, n.pitch))


def test_the_key_that_is_heard_is_the_one_it_plays_in() -> None:
    scene, partner = evening(start_on="any")
    d_major = [p + 2 for p in SCALE]
    scene.play_notes(steady([*d_major, *reversed(d_major)]))
    scene.run(8.0)
    (plan,) = partner.plans
    assert plan.controls["key"] == "D major"
    assert str(plan.context.key) == "D major"


def test_key_off_hears_and_leaves_the_notes_alone() -> None:
    scene, partner = evening(key="off")
    scene.play_notes(steady([*SCALE, *reversed(SCALE)]))
    scene.run(8.0)
    assert partner.plans[0].controls["key"] == "off"
    assert str(partner.plans[0].context.key) == "C major"


def test_with_strength_1_all_notes_are_of_the_scale_that_is_heard() -> None:
    scene, partner = evening(key_strength=1, answer_length="8 s")
    scene.play_notes(steady([p + 3 for p in (*SCALE, *reversed(SCALE))]))
    made = scene.run(20.0)
    key = partner.plans[0].context.key
    assert key is not None
    assert str(key) == "Eb major"
    assert len(made) > 5
    assert {n.pitch % 12 for n in made} <= key.pitch_classes


def test_a_key_that_is_locked_stays() -> None:
    scene, partner = evening()
    scene.play_notes(steady([*SCALE, *reversed(SCALE)]))
    scene.do(4.9, "lock")
    elsewhere = [p + 6 for p in (*SCALE, *reversed(SCALE), *SCALE, *reversed(SCALE))]
    scene.play_notes(steady(elsewhere, 30.0))
    scene.run(41.0)
    scene.do(42.0, "stop")
    scene.do(43.0, "lock")
    scene.play_notes(steady(elsewhere, 50.0))
    scene.run(61.0)
    assert [plan.controls["key"] for plan in partner.plans if plan.revision == 0] == ["C major", "C major", "F# major"]


@pytest.mark.parametrize("beat_s", [0.5, 0.6, 0.75])
def test_an_answer_begins_on_the_beat_where_it_is_clear(beat_s: float) -> None:
    scene, partner = evening(wait=0.41)
    notes = steady([*SCALE, *reversed(SCALE)] * 2, 1.0, beat_s)
    scene.play_notes(notes)
    made = scene.run(60.0)
    (plan,) = partner.plans
    assert plan.context.beats is not None
    assert plan.context.beats.clear
    assert plan.context.beats.tempo_bpm == pytest.approx(60.0 / beat_s, rel=0.03)
    late_beats = (made[0].onset_s - 1.0) / beat_s
    assert abs(late_beats - round(late_beats)) * beat_s < 0.03
    over_s = max(n.end_s for n in notes) + 0.41
    assert over_s <= made[0].onset_s + ON_BEAT_S
    assert made[0].onset_s <= over_s + beat_s


def test_anywhere_it_begins_when_the_phrase_is_over() -> None:
    scene, _ = evening(wait=0.41, start_on="any")
    notes = steady([*SCALE, *reversed(SCALE)] * 2)
    scene.play_notes(notes)
    assert scene.run(60.0)[0].onset_s == pytest.approx(max(n.end_s for n in notes) + 0.41)


def test_on_a_bar_it_begins_where_the_bar_does_or_on_a_beat_while_none_is_clear() -> None:
    ear = Ear()
    for note in steady([*SCALE, *reversed(SCALE)] * 4):
        ear.hear(KeyDown(note.onset_s, 0, note.pitch, note.velocity))
    now_s = 19.25
    beats = ear.beats(now_s)
    assert beats is not None
    assert beats.clear
    on_bar_s, on_beat_s = ear.entry_s(now_s, "bar"), ear.entry_s(now_s, "beat")
    assert now_s - ON_BEAT_S <= on_beat_s <= on_bar_s
    expected_s = beats.next_bar_s(now_s, ON_BEAT_S)
    assert on_bar_s == pytest.approx(on_beat_s if expected_s is None else expected_s)


def test_rubato_has_no_beat_to_begin_on() -> None:
    ear = Ear()
    at_s = 0.0
    for k, gap_s in enumerate((0.31, 0.9, 0.17, 1.4, 0.52, 0.23, 1.1, 0.4)):
        ear.hear(KeyDown(at_s, 0, 60 + (k * 5) % 12, 64))
        at_s += gap_s
    assert ear.entry_s(at_s, "beat") == at_s


def test_a_tempo_that_is_set_is_kept_to_and_one_that_is_heard_is_played_in() -> None:
    for tempo, expected in (("auto", pytest.approx(100.0, rel=0.03)), (72, 72.0)):
        scene, partner = evening(tempo=tempo)
        scene.play_notes(steady([*SCALE, *reversed(SCALE)] * 2))
        scene.run(15.0)
        assert partner.plans[0].controls["tempo"] == expected


def test_until_a_tempo_is_heard_it_is_120() -> None:
    assert Ear().meant(Controls(), 1.0)["tempo"] == 120.0


def test_taps_give_the_beat() -> None:
    scene, partner = evening(chords="C G")
    for k in range(6):
        scene.do(0.8 * k, "tap")
    scene.play_notes([Note(5.0, 60, 0.1, 80), Note(5.2, 64, 0.1, 80)])
    scene.run(8.0)
    assert partner.plans[0].controls["tempo"] == pytest.approx(75.0, rel=0.03)


def test_a_flood_is_not_listened_to() -> None:
    scene, _ = evening()
    scene.play_notes([Note(k * 1e-4, 61, 5e-5, 80) for k in range(2000)])
    scene.run(0.3)
    assert scene.duet.ear.touch.density(0.3) < 200


def test_what_is_shown_is_plain_and_changes_nothing() -> None:
    ear = Ear()
    assert ear.shown(0.0)["key"] is None
    for note in steady([*SCALE, *reversed(SCALE)] * 2):
        ear.hear(KeyDown(note.onset_s, 0, note.pitch, note.velocity))
    shown = ear.shown(10.0)
    assert shown["key"] == "C major"
    assert shown["tempo_bpm"] == pytest.approx(100.0, rel=0.03)
    assert shown["register"][0] <= 60 <= shown["register"][1]
    assert shown == ear.shown(10.0)


def vamp(rounds: int, beat_s: float = 0.5) -> list[Note]:
    """Am F C G, a bar each, in both hands."""
    notes = []
    for bar, (bass, *chord) in enumerate(
        [(45, 60, 64, 69), (41, 60, 65, 69), (48, 60, 64, 67), (43, 59, 62, 67)] * rounds
    ):
        for beat in range(4):
            at_s = (bar * 4 + beat) * beat_s
            pitches = (bass, *chord) if beat % 2 == 0 else chord
            notes += [Note(at_s, pitch, beat_s * 0.9, 90 if beat == 0 else 70) for pitch in pitches]
    return notes


def test_chords_auto_goes_on_with_what_the_left_hand_did() -> None:
    scene, partner = evening(chords="auto", wait=0.5, answer_length="4 bars")
    scene.play_notes(vamp(2))
    scene.run(40.0)
    (plan,) = partner.plans
    chords = progression(plan.controls.text("chords"), C_MAJOR)
    assert plan.start_s is not None
    for bar, symbol in enumerate(("Am", "F", "C", "G")):
        beats = (16.0 + 2.0 * bar + 1.0 - plan.start_s) * plan.controls.number("tempo") / 60.0
        found = chords.at(beats % chords.length_beats).chord
        assert found is not None
        assert found.pitch_classes >= parse_chord(symbol).pitch_classes


def test_chords_auto_is_off_where_none_went_round() -> None:
    scene, partner = evening(chords="auto")
    scene.play_notes(steady([*SCALE, *reversed(SCALE)]))
    scene.run(20.0)
    assert partner.plans[0].controls["chords"] == "off"


@pytest.mark.parametrize(("chords", "key"), [("Am F C G", "off"), ("ii V I", "D major"), ("pop", "D major")])
def test_chords_by_their_names_say_the_key_and_numerals_are_in_the_one_that_is_heard(chords: str, key: str) -> None:
    scene, partner = evening(chords=chords)
    d_major = [p + 2 for p in SCALE]
    scene.play_notes(steady([*d_major, *reversed(d_major)]))
    scene.run(8.0)
    assert partner.plans[0].controls["key"] == key
