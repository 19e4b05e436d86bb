"""Answers made in this process are those of the command, and the judgement of answers knows good from bad."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livemuse.errors import ControlError
from livemuse.midi.smf import notes_of, read_song
from livemuse.model.bundle import load_bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.music.notes import Note
from livemuse.music.vocabulary import HEADS
from tests.training.conftest import quiet
from tests.training.test_figures import corpus_of
from training.answers import Asked, answers, hole_s, judge, table, wholeness
from training.baselines.table import keep_markov
from training.commands import answers as answers_command
from training.commands import evaluate as evaluate_command
from training.commands import long_form as long_form_command
from training.commands import sampling as sampling_command
from training.corpus import Corpus, load_corpus
from training.evaluate import evaluate, onnx_scores
from training.evaluate import table as scores_table
from training.figures import longform, sampling
from training.figures.copying import pitches_of_corpus
from training.figures.judging import Judge, gain, pitch_class_gain, words
from training.figures.likeness import likeness, overlap_difference, register, runs_of
from training.figures.playing import (
    Turn,
    answered,
    call_bytes,
    choose_turns,
    controls_of,
    echo,
    excerpt,
    improvise,
    load_stepper,
    piece_notes,
    whole_pieces,
)

MODEL = Path(__file__).parents[2] / "models" / "concert"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented scales, each piece in its own key: three to learn from, three to be judged on."""
    folder = tmp_path_factory.mktemp("notes")
    pieces: dict[str, list[dict[str, object]]] = {}
    for number, split in enumerate(("train", "validation")):
        rng = np.random.default_rng(number)
        pitch = [48 + k * 5 + np.cumsum(rng.integers(-2, 3, 200)) % 24 // 2 * 2 for k in range(3)]
        step_s = np.tile(np.concatenate([[0.0], np.full(199, 0.25)]), 3)
        np.savez(folder / f"{split}.npz", pitch=np.concatenate(pitch).astype(np.uint8),
                 step_s=step_s.astype(np.float32), duration_s=np.full(600, 0.3, np.float32),
                 velocity=rng.integers(40, 100, 600).astype(np.uint8))  # fmt: skip
        pieces[split] = [
            {"file": f"{split}{k}.mid", "source": "Invented", "licence": "CC0 1.0", "notes": 200, "composition": f"{k}"}
            for k in range(3)
        ]
    (folder / "index.json").write_text(json.dumps({"key": "", "pieces": pieces, "skipped": []}))
    return folder


@pytest.fixture(scope="module")
def turns(data: Path) -> list[Turn]:
    return choose_turns(load_corpus(data, "validation"), 3, 0)


@pytest.fixture(scope="module")
def stepper() -> OnnxStepper:
    return load_stepper(MODEL)


def test_an_answer_made_here_is_that_of_the_command(turns: list[Turn], stepper: OnnxStepper, tmp_path: Path) -> None:
    call, out = tmp_path / "call.mid", tmp_path / "answer.mid"
    call.write_bytes(call_bytes(turns[0].call))
    given = ["--seconds=8.0", "--seed=7", f"--model={MODEL}", "--set=temperature=1.1"]
    command = [sys.executable, "-m", "livemuse", "answer", str(call), "-o", str(out), *given]
    subprocess.run(command, check=True, capture_output=True)
    ours = improvise(stepper, turns[0].call, controls_of(["temperature=1.1"]))
    assert len(ours) > 10
    assert list(ours) == notes_of(read_song(out.read_bytes()))
    assert ours != improvise(stepper, turns[0].call, controls_of(["temperature=0.5"]))


def test_a_turn_is_a_call_and_what_follows_it(data: Path, turns: list[Turn]) -> None:
    assert {turn.file for turn in turns} == {"validation0.mid", "validation1.mid", "validation2.mid"}
    for turn in turns:
        assert turn.call[-1].onset_s - turn.call[0].onset_s < 20
        assert turn.next[0].onset_s == 0.0
        assert max(note.end_s for note in turn.next) <= 8.0 + 1e-9
        assert turn.pause_s == pytest.approx(0.25)
    corpus = load_corpus(data, "validation")
    assert whole_pieces(corpus, 1, 0)[0].call == tuple(piece_notes(corpus, int(turns[0].file[10])))


def test_no_call_is_no_choice(data: Path) -> None:
    with pytest.raises(ValueError, match="at least one call"):
        choose_turns(load_corpus(data, "validation"), 0, 0)


def test_an_echo_is_the_end_of_the_call() -> None:
    call = [Note(float(k), 60 + k, 2.0, 80) for k in range(12)]
    heard = echo(call, 4.0)
    assert [note.pitch for note in heard] == [68, 69, 70, 71]
    assert [note.onset_s for note in heard] == [0, 1, 2, 3]
    assert heard[-1].duration_s == 1.0
    assert excerpt(call, 2.0, 1.0) == (Note(0.0, 62, 1.0, 80),)


def test_a_misspelt_control_is_told() -> None:
    with pytest.raises(ControlError, match="temprature"):
        controls_of(["temprature=1"])


def test_a_call_without_an_answer_is_left_out_and_said(turns: list[Turn]) -> None:
    said: list[str] = []
    done = answered(turns, lambda turn: turn.next if turn is turns[0] else (), said.append)
    assert [turn.answer for turn in done] == [turns[0].next]
    assert len(said) == len(turns) - 1


def test_a_gain_knows_its_interval() -> None:
    found = gain([0.9, 0.8, 0.7, 0.9], [0.5, 0.5, 0.4, 0.4])
    assert found.gain == pytest.approx(0.375)
    assert 0 < found.low < found.gain < found.high
    assert gain([1.0, 2.0], [3.0, 3.0], less_is_better=True).gain == pytest.approx(1.5)
    unsure = gain([0.5, 0.4, 0.6, 0.5], [0.4, 0.5, 0.5, 0.6])
    assert unsure.low < 0 < unsure.high


def test_true_continuations_fit_better_than_strangers(turns: list[Turn]) -> None:
    """Answers that are the true continuations overlap wholly with them; answers dealt out wrongly do not."""
    pool = pitches_of_corpus(load_corpus_of(turns))
    found = judge(Judge(load_bundle(MODEL)), [replace(t, answer=t.next) for t in turns], pool)
    fit = found["fit"]
    assert fit["answer"]["continuation"]["own"] == pytest.approx(1.0)
    assert fit["answer"]["nats"]["own"] < fit["answer"]["nats"]["others"]
    assert "continuation" not in fit["pianist"]
    assert found["likeness"]["overlap"]["mean"] == pytest.approx(1.0)
    assert found["register"]["answer"] == found["register"]["pianist"]
    assert found["runs"]["answer"]["training"]["longest"] == max(len(t.next) for t in turns)
    assert found["whole"]["latest_first_onset_s"] == 0.0
    wrong = [replace(t, answer=turns[k - 1].next) for k, t in enumerate(turns)]
    assert pitch_class_gain(wrong, lambda t: t.answer).gain < pitch_class_gain(turns, lambda t: t.next).gain


def load_corpus_of(turns: list[Turn]) -> Corpus:
    """A corpus in which every true continuation stands word for word."""
    return corpus_of(*([note.pitch for note in turn.next] for turn in turns))


def test_an_echo_is_seen_as_a_run_shared_with_the_call(turns: list[Turn]) -> None:
    echoed = [replace(t, answer=echo(t.call)) for t in turns]
    assert runs_of(echoed, "answer", None)["call"]["median"] >= 30
    assert register([replace(t, answer=(Note(0.0, 108, 1.0, 80),)) for t in turns])["in_the_top_octave"] == 3
    assert likeness(echoed)["answer"]["in_key_share"] > 0


def test_holes_and_thin_answers_are_seen() -> None:
    notes = (Note(0.0, 60, 0.5, 80), Note(2.0, 60, 0.5, 80))
    assert hole_s(notes) == 1.5
    assert wholeness([Turn("", (), (), notes)]).fewest_pitches == 1


def test_many_answers_are_judged_at_once_as_each_alone(turns: list[Turn], stepper: OnnxStepper) -> None:
    judging = Judge(load_bundle(MODEL))
    stands = judging.after([turn.call for turn in turns])
    answers_ = [turn.next[: 5 * k + 2] for k, turn in enumerate(turns)]
    found = judging.nats(stands, [0.7] * len(turns), answers_)
    for turn, notes, nats in zip(turns, answers_, found, strict=True):
        state, previous_s = stepper.start(), turn.call[0].onset_s
        for note in turn.call:
            state, previous_s = stepper.feed(state, words(note, previous_s)), note.onset_s
        total, previous_s = 0.0, -0.7
        for n, note in enumerate(notes):
            drawn = words(note, previous_s)
            for k, head in enumerate(HEADS):
                logits = stepper.logits(state, head, drawn[:k]).astype(np.float64)
                total += 0.0 if n == 0 and head == "step" else float(np.logaddexp.reduce(logits) - logits[drawn[k]])
            state, previous_s = stepper.feed(state, drawn), note.onset_s
        assert nats == pytest.approx(total / len(notes), abs=1e-4)


def test_nobody_is_judged_without_an_answer() -> None:
    with pytest.raises(ValueError, match="no call was answered"):
        judge(Judge(load_bundle(MODEL)), [], None)


def test_the_whole_judgement(data: Path) -> None:
    found = answers(Asked(MODEL, data, pieces=2, whole=1), quiet)
    assert found["whole"]["answers"] == 2
    assert set(found["fit"]) == {"answer", "echo", "pianist"}
    assert found["register"]["answer_to_whole_pieces"]["answers"] == 1
    assert found["runs"]["answer"]["training"]["longest"] >= 1
    assert json.loads(json.dumps(found)) == found
    assert "answer continuation" in table(found)


def test_a_baseline_answers_the_same_calls_and_is_judged_alike(data: Path, tmp_path: Path) -> None:
    keep_markov(load_corpus(data, "train"), tmp_path, quiet)
    found = answers(Asked(MODEL, data, pieces=2, baselines=("all",), ancestors=tmp_path), quiet)
    markov = found["baselines"]["markov-5"]
    assert markov["whole"]["answers"] + markov["unanswered"] == 2
    assert markov["whole"]["latest_end_s"] <= 8.0 + 1e-9
    assert set(markov["fit"]) == {"answer"}
    gap = markov["overlap_difference"]
    assert gap["low"] <= gap["mean"] <= gap["high"]
    if gap["calls"] == 2:
        areas = found["likeness"]["overlap"]["mean"] - markov["likeness"]["overlap"]["mean"]
        assert gap["mean"] == pytest.approx(areas)
    text = table(found)
    assert "markov-5" in text
    assert "pianists" in text
    for baselines, ancestors, sentence in (
        (("6",), None, "needs --run"),
        (("1",), tmp_path, "no trained muselstm"),
        (("bach",), tmp_path, "no baseline 'bach'"),
        (("all",), data, "no trained baseline"),
    ):
        with pytest.raises(ValueError, match=sentence):
            answers(Asked(MODEL, data, pieces=1, baselines=baselines, ancestors=ancestors), quiet)


def test_what_is_more_like_the_pianists_is_seen_on_the_same_calls(turns: list[Turn]) -> None:
    real = [replace(turn, answer=turn.next) for turn in turns]
    thin = [replace(turn, answer=turn.next[:2]) for turn in turns[1:]]
    gap = overlap_difference(real, thin)
    assert gap["calls"] == len(turns) - 1
    assert 0 < gap["low"] <= gap["mean"] <= gap["high"] <= 1
    assert overlap_difference(real, []) == {}


def test_a_table_of_settings(data: Path) -> None:
    grid = sampling.Grid(MODEL, data, calls=2, values={"temperature": ["0.6"], "key": ["own"]})
    found = sampling.sampling(grid, quiet)
    assert [row["settings"] for row in found["rows"]] == ["pianists", "defaults", "temperature=0.6", "key=own"]
    assert set(sampling.COLUMNS) <= set(found["rows"][0])
    pianists, defaults, cool, keyed = found["rows"]
    assert pianists["overlap"] is None
    assert cool["nats"] < defaults["nats"]
    assert keyed["in_key"] > 0.9
    assert 0 < keyed["scale"] < 1
    assert pianists["scale"] == pytest.approx(1.0)
    assert "temperature=0.6" in sampling.table(found)
    assert sampling.sampling(replace(grid, jobs=2, values={}), quiet)["rows"] == found["rows"][:2]
    with pytest.raises(ValueError, match="--jobs"):
        sampling.sampling(replace(grid, jobs=0), quiet)
    with pytest.raises(ControlError):
        sampling.sampling(sampling.Grid(MODEL, data, values={"temperature": ["hot"]}), quiet)


def test_long_form_beside_the_pianists(data: Path) -> None:
    found = longform.long_form(longform.Long((MODEL,), data, pieces=1, bars=(4, 8)), quiet)
    assert set(found["lengths"]) == {"4", "8"}
    row = found["lengths"]["8"]
    assert row["pianists"]["notes_per_s"] == pytest.approx(4.0)
    assert row["pianists"]["rhythm_1"] == pytest.approx(1.0)  # it is a sequence of even quavers
    assert row["concert"]["collapsed"] == 0.0
    assert "concert" in longform.table(found)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"bars": (64,)}, "120 s can be improvised"),
        ({"bars": (32,)}, "is as long as 32 bars"),
        ({"pieces": 0}, "at least one piece"),
        ({"models": (MODEL, MODEL)}, "the same name"),
    ],
)
def test_what_cannot_be_improvised_is_said(data: Path, asked: dict[str, object], sentence: str) -> None:
    given: dict[str, object] = {"models": (MODEL,), "data": data, **asked}
    with pytest.raises(ValueError, match=sentence):
        longform.long_form(longform.Long(**given), quiet)  # type: ignore[arg-type]


def test_accuracy_is_how_often_the_likeliest_was_played(data: Path, stepper: OnnxStepper) -> None:
    corpus = load_corpus(data, "validation").select([1])
    nats, hits = onnx_scores(load_bundle(MODEL), corpus, quiet)
    state, expected, previous_s = stepper.start(), np.zeros(4), 0.0
    for note in piece_notes(corpus, 0):
        drawn = words(note, previous_s)
        for k, head in enumerate(HEADS):
            expected[k] += int(np.argmax(stepper.logits(state, head, drawn[:k]))) == drawn[k]
        state, previous_s = stepper.feed(state, drawn), note.onset_s
    np.testing.assert_allclose(hits[0], expected, atol=1)  # a tie may fall either way
    assert nats.shape == hits.shape == (1, 4)


def test_the_scores_tell_the_accuracy_of_each_head(data: Path) -> None:
    found = evaluate(MODEL, data, "validation", 0, 0, quiet)
    assert set(found["accuracy"]) == set(HEADS)
    assert all(0 <= share <= 1 for share in found["accuracy"].values())
    assert "likeliest is played" in scores_table(found)


def test_every_command_has_its_options(data: Path) -> None:
    for command in (answers_command, evaluate_command, sampling_command, long_form_command):
        parser = ArgumentParser()
        command.options(parser)
        args = parser.parse_args([str(MODEL), "--data", str(data), "--json"])
        assert args.data == data
        assert args.json
        assert command.HELP


def test_the_long_form_command_prints_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    long_form_command.options(parser)
    long_form_command.run(
        parser.parse_args([str(MODEL), "--data", str(data), "--bars", "2", "--pieces", "1", "--json"])
    )
    assert json.loads(capsys.readouterr().out)["pieces"] == 1


def test_evaluate_judges_answers_where_it_is_asked_to(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    evaluate_command.options(parser)
    evaluate_command.run(parser.parse_args([str(MODEL), "--data", str(data), "--answers", "2", "--json"]))
    found = json.loads(capsys.readouterr().out)
    assert found["answers"]["whole"]["answers"] == 2
    assert set(found["accuracy"]) == set(HEADS)
