"""One's own turns out of recorded sessions and MIDI files; and a model that is made one's own, or is not."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.midi.smf import Track, meta, note_rows, read_song, write_song
from livemuse.recording.journal import SessionJournal
from livemuse.recording.sessions import finish
from training.turns import (
    LONGEST,
    LONGEST_REST_S,
    Session,
    material_of,
    sessions_of,
    turns_of,
)

Row = tuple[float, int, float, int]


def phrase(at_s: float, pitches: list[int], step_s: float = 0.2) -> list[Row]:
    return [(at_s + k * step_s, pitch, 0.15, 64) for k, pitch in enumerate(pitches)]


def events(rows: list[Row]) -> list[tuple[float, bytes]]:
    """The rows as keys go down and come up."""
    found = [(on_s, bytes((0x90, pitch, velocity))) for on_s, pitch, _, velocity in rows]
    found += [(on_s + long_s, bytes((0x80, pitch, 64))) for on_s, pitch, long_s, _ in rows]
    return sorted(found)


def recorded(folder: Path, player: list[list[Row]], livemuse: list[list[Row]]) -> Path:
    """A session as livemuse's own recorder keeps it: the player's phrases, and an answer after each."""
    journal = SessionJournal(folder / "2026-11-21_193005.journal")
    journal.write("session", 0.0, format=1, livemuse="1", seed=0, model={}, controls={})
    for turn, (own, answer) in enumerate(zip(player, livemuse, strict=True)):
        journal.write("turn", own[0][0], number=2 * turn + 1, who="player")
        for at_s, message in events(own):
            journal.write("heard", at_s, b=message.hex())
        journal.write("turn", answer[0][0], number=2 * turn + 2, who="livemuse")
        for k, (at_s, pitch, long_s, velocity) in enumerate(answer):
            sent = {"take": turn, "index": k, "due": at_s, "pitch": pitch, "velocity": velocity, "channel": 0}
            journal.write("sent", at_s, **sent)
            journal.write("ended", at_s + long_s, take=turn, index=k)
    journal.write("end", 1000.0)
    journal.close()
    return finish(journal.path)


def test_of_a_recorded_session_the_players_turns_alone_are_read(tmp_path: Path) -> None:
    player = [phrase(1.0, [60, 62, 64, 65, 67]), phrase(9.0, [67, 65, 64, 62]), phrase(17.0, [72] * 6)]
    answers = [phrase(4.0, [36] * 8), phrase(12.0, [38] * 8), phrase(20.0, [40] * 8)]
    recorded(tmp_path, player, answers)
    (session,) = sessions_of(tmp_path, str)
    assert [[row[1] for row in turn] for turn in session.turns] == [[60, 62, 64, 65, 67], [67, 65, 64, 62], [72] * 6]
    np.testing.assert_allclose(session.turns[1], player[1], atol=2e-3)


def test_a_turn_may_hold_a_rest_that_a_midi_file_would_be_cut_at(tmp_path: Path) -> None:
    """With markers it is the marker that counts for short phrases: they stay with the turn they belong to."""
    own = [*phrase(1.0, [60, 62, 64, 65]), *phrase(3.0, [67, 69, 71])]
    path = recorded(tmp_path, [own], [phrase(8.0, [36] * 8)])
    assert [len(t) for t in turns_of(read_song(path.read_bytes()))] == [7]
    plain = write_song([Track("piano", events([*phrase(0.0, [60] * 9), *phrase(5.0, [62] * 9)]))])
    assert [len(t) for t in turns_of(read_song(plain))] == [9, 9]


def test_what_livemuse_played_into_a_file_is_left_out() -> None:
    song = write_song([Track("me", events(phrase(0.0, [60] * 8))), Track("livemuse", events(phrase(0.1, [40] * 8)))])
    assert {row[1] for turn in turns_of(read_song(song)) for row in turn} == {60}


ROWS = st.lists(
    st.tuples(st.floats(0.0, 1.5), st.integers(21, 108), st.floats(0.01, 0.4), st.integers(1, 127)), max_size=250
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.floats(0.0, 100.0), max_size=5))
def test_turns_are_the_notes_in_order_cut_and_never_changed(steps: list[Row], marks: list[float]) -> None:
    at_s, rows = 0.0, []
    for step_s, pitch, long_s, velocity in steps:
        at_s += step_s
        rows.append((at_s, pitch, long_s, velocity))
    markers = [(mark, meta(6, f"turn {k}: player".encode())) for k, mark in enumerate(sorted(marks))]
    song = read_song(write_song([Track("session", markers), Track("player", events(rows)), Track("livemuse", [])]))
    whole, turns = note_rows(song), turns_of(song)
    assert all(4 <= len(turn) < 2 * LONGEST for turn in turns)
    found = [row for turn in turns for row in turn]
    assert found == sorted(found)
    assert set(found) <= set(whole)
    assert len(whole) - len(found) <= 3 * (len(marks) + 1)  # at most what is left over before each mark


def test_of_ten_turns_seven_teach_one_stops_and_two_judge(tmp_path: Path) -> None:
    turns = tuple(phrase(10.0 * k, [40 + k] * 8) for k in range(20))
    found = material_of([Session("a", turns[:13]), Session("b", turns[13:])])
    assert found.turns == 20
    assert sorted(set(found.stop.pitch)) == [47, 57]
    assert sorted(set(found.judge.pitch)) == [48, 49, 58, 59]
    assert np.diff(found.learn.starts).tolist() == [7 * 8, 3 * 8, 4 * 8]  # read on in one breath, but not over files
    assert found.learn.step_s.max() == pytest.approx(LONGEST_REST_S)  # ten seconds between onsets were not played
    assert set(found.learn.pitch) & set(found.judge.pitch) == set()


def test_the_same_session_twice_counts_once_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    song = write_song([Track("piano", events(phrase(0.0, [60] * 9)))])
    for name in ("a.mid", "b.mid"):
        (tmp_path / name).write_bytes(song)
    (tmp_path / "c.mid").write_bytes(b"MThd nothing good")
    said: list[str] = []
    assert [s.name for s in sessions_of(tmp_path, said.append)] == ["a.mid"]
    assert len(said) == 1
    assert "c.mid" in said[0]
    with pytest.raises(ValueError, match="is not there"):
        sessions_of(tmp_path / "nowhere", str)


# --- with a network ------------------------------------------------------------------------------------------------

QUIET = str  # says nothing to anybody


@pytest.fixture(scope="module")
def parent(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that was trained on something else: the folder of its run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own
        pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")
    from training.config import Config, Shape
    from training.corpus import prepare
    from training.train import train

    folder = tmp_path_factory.mktemp("parent")
    prepare(tiny_corpus / "manifest.csv", tiny_corpus, folder / "notes", say=QUIET)
    shape = Shape(units=16, embed_pitch=8, embed_other=4, head_width=8)
    config = Config(
        "parent", lanes=6, chunk=32, epochs=3.0, warmup_steps=2, learning_rate=0.03, patience=0, shape=shape
    )
    train(folder / "notes", folder / "run", config, False, QUIET)
    return folder / "run"


def known(at_s: float, seed: int) -> list[Row]:
    """A phrase as the parent was taught: broken chords, five notes a second, at a middling loudness."""
    rng = np.random.default_rng(seed)
    pitches = [48 + (0, 5, 7, 0)[k // 8 % 4] + (0, 4, 7, 12)[k % 4] for k in range(16)]
    return [(at_s + 0.2 * k, pitch, 0.18, int(rng.integers(50, 90))) for k, pitch in enumerate(pitches)]


def hasty(at_s: float) -> list[Row]:
    """A phrase unlike any of those: high, loud, short and fast."""
    return [(at_s + 0.06 * k, 96 + k % 5, 0.03, 120) for k in range(16)]


def sessions(folder: Path, turns: list[list[int]]) -> Path:
    """A MIDI file with a phrase of these pitches every eight seconds."""
    return session_of(folder, [phrase(8.0 * k, pitches) for k, pitches in enumerate(turns)])


def session_of(folder: Path, turns: list[list[Row]]) -> Path:
    """A MIDI file with these turns."""
    rows = [row for turn in turns for row in turn]
    folder.mkdir()
    (folder / "evening.mid").write_bytes(write_song([Track("piano", events(rows))]))
    return folder


@pytest.mark.pipeline
@pytest.mark.filterwarnings("default")
def test_a_player_it_comes_to_know_is_kept_and_one_who_differs_from_himself_is_not(
    parent: Path, tmp_path: Path
) -> None:
    from livemuse.model.bundle import load_bundle
    from training.finetune import Asked, finetune

    said: list[str] = []
    scale = [60 + k for k in (0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0)]
    steady = sessions(tmp_path / "steady", [[p + 12 * (k % 2) for p in scale] for k in range(40)])
    kept = finetune(Asked(str(parent), steady, tmp_path / "mine", updates=30), said.append)
    assert kept.kept
    assert kept.after < kept.before
    assert said[-1].startswith(f"kept: {kept.before:.3f} -> {kept.after:.3f} nats a note on 8 held-out turns")
    assert load_bundle(tmp_path / "mine").info.name == "mine"
    stated = json.loads((tmp_path / "mine" / "manifest.json").read_text())
    assert stated["parent"]["name"] == "parent"
    assert stated["parent"]["turns"] == 8
    assert stated["held_out"]["nats_per_note"] == pytest.approx(kept.after, rel=0.02)
    # what it learns is nothing it knows, and what judges is what it knows already: it can only forget
    odd = [known(8.0 * k, k) if k % 10 > 7 else hasty(8.0 * k) for k in range(40)]
    lost = finetune(Asked(str(parent), session_of(tmp_path / "odd", odd), tmp_path / "other", updates=30), said.append)
    assert not lost.kept
    assert said[-1].startswith("not kept: ")
    assert not (tmp_path / "other").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "odd", "steady"]


@pytest.mark.pipeline
@pytest.mark.filterwarnings("default")
def test_what_cannot_be_fine_tuned_is_said_in_a_sentence(parent: Path, tmp_path: Path) -> None:
    from training.finetune import Asked, finetune, parent_of

    few = sessions(tmp_path / "few", [[60] * 9] * 5)
    with pytest.raises(ValueError, match="too little to learn from: 5 turns with 45 notes"):
        finetune(Asked(str(parent), few, tmp_path / "mine"), QUIET)
    with pytest.raises(ValueError, match="no model called"):
        parent_of("nobody")
    with pytest.raises(ValueError, match="holds no weights"):
        parent_of(str(tmp_path))
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"bad\.npz is no checkpoint"):
        parent_of(str(tmp_path / "bad.npz"))


def test_better_by_chance_is_not_better() -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    from training.finetune import judged

    notes, before = np.full(20, 30), np.full(20, 240.0)
    swing = np.tile([-30.0, 28.0], 10)
    assert judged(before, before - 9.0, notes).kept
    assert not judged(before, before + 9.0, notes).kept
    unsure = judged(before, before + swing, notes)
    assert unsure.after < unsure.before
    assert not unsure.kept
    assert "too little better to be sure" in unsure.line(Path("mine"))


@pytest.mark.parametrize("turns", [6, 8, 20])
def test_turns_without_any_effect_are_kept_no_oftener_than_is_said(turns: int) -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    from training.finetune import MOST_CHANCE, by_chance

    rng = np.random.default_rng(turns)
    kept = np.mean([by_chance(rng.normal(0.0, 9.0, turns), 1000) < MOST_CHANCE for _ in range(1500)])
    assert kept < MOST_CHANCE + 3 * (MOST_CHANCE / 1500) ** 0.5  # three standard errors
    assert by_chance(np.full(turns, -9.0)) < MOST_CHANCE


@pytest.mark.pipeline
@pytest.mark.filterwarnings("default")
def test_of_a_run_the_terms_are_not_known_and_the_card_says_so(parent: Path) -> None:
    from training.bundles import training_row
    from training.card import terms
    from training.finetune import parent_of

    about = {"config": {}, "progress": {"notes": 1, "elapsed_s": 1.0}, "parent": parent_of(str(parent)).about}
    row = training_row((), about)
    assert "not stated" in row["licence"]
    assert "for you to find out" in terms(row)
