"""What a person may set, the history of a run, and what is seen of it while it learns."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from training.config import Config, Shape, config_from, load_config
from training.history import History, plot_history, read_history
from training.watch import Watch

# --- what a person may set -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lanes = 0", "lanes is more than 0, not 0"),
        ("lanes = 2.5", "lanes is a whole number, not 2.5"),
        ("bfloat16 = 1", "bfloat16 is true or false, not 1"),
        ("learning_rate = nan", "learning_rate is more than 0, not nan"),
        ("dropout = 1.5", "dropout is a share from 0 to 1, not 1.5"),
        ("weights = {pich = 1}", "weights are of pitch, step, duration, velocity, not of pich"),
        ("weights = {pitch = -1}", "weights.pitch is 0 or more, not -1"),
        ("weights = {pitch = 0, step = 0, duration = 0, velocity = 0}", "the weights are all 0"),
        ("shape = 3", "shape is a table of its own"),
        ("[shape]\nunits = 0", "units is more than 0, not 0"),
        ("lanes = ", "Invalid value"),
        ("lanes = 1000000000", "lanes is at most 4,096"),
        ("seed = 1" + "0" * 400, "seed is no such number"),
        ("learning_rate = inf", "learning_rate is no such number"),
        ("[shape]\nlayers = 9", "layers is at most 8"),
        ("seed = " + "[" * 5000 + "]" * 5000, "tables within tables"),
        ("colour = 3", "unknown setting: colour"),
    ],
)
def test_a_bad_config_is_refused_in_a_sentence_that_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.toml: ") as found:
        load_config(path)
    assert sentence in str(found.value)
    assert "\n" not in str(found.value)


def test_a_config_that_is_not_there_or_no_text_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read"):
        load_config(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"bytes\.toml: "):
        load_config(tmp_path / "bytes.toml")


def test_a_config_file_holds_only_what_differs_and_a_written_config_is_read_back() -> None:
    made = config_from({"weights": {"pitch": 2}, "patience": 3, "shape": {"units": 8}})
    assert made == replace(Config(), weights={"pitch": 2}, patience=3, shape=Shape(units=8))
    assert made.head_weights == (2.0, 1.0, 1.0, 1.0)
    assert config_from(json.loads(json.dumps(made.as_dict()))) == made


def test_patience_is_off_where_the_clock_rules_unless_it_is_asked_for() -> None:
    assert Config().stop_after > 0
    assert Config(minutes=5.0).stop_after == 0
    assert Config(minutes=5.0, patience=3).stop_after == 3
    assert Config(patience=0).stop_after == 0


# --- the history -----------------------------------------------------------------------------------------------------


def line(step: int, nats: float = 9.0) -> list[float]:
    return [step, 0, 100 * step, 0.1, 1e-3, 9.5, nats, 3.0, 2.0, 2.0, 2.0]


def test_what_came_after_the_last_checkpoint_is_written_again(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    for step in (5, 10, 15):
        history.add(line(step))
    with (tmp_path / "history.csv").open("a") as stream:
        stream.write("20,0,20")  # the power went
    again = History(tmp_path, 10)
    assert [row["updates"] for row in read_history(tmp_path)] == [5, 10]
    again.add(line(15, 8.0))
    assert [row["validation_nats"] for row in read_history(tmp_path)] == [9.0, 9.0, 8.0]
    History(tmp_path, -1)
    assert read_history(tmp_path) == []


def test_a_score_before_the_first_update_is_kept(tmp_path: Path) -> None:
    history = History(tmp_path, -1)
    history.add(line(0))
    history.add(line(5))
    History(tmp_path, 0)
    assert [row["updates"] for row in read_history(tmp_path)] == [0]


# --- how far it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bar", [True, False])
def test_a_bar_is_drawn_for_those_who_ask_for_it(bar: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    said, terminal = list[str](), Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Watch(said.append, bar=bar) as watch:
        watch.say("a line that stays")
    assert said == ([] if bar else ["a line that stays"])
    assert ("a line that stays" in terminal.getvalue()) == bar


def test_a_folder_without_a_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing was trained there"):
        read_history(tmp_path)
    (tmp_path / "history.csv").write_text("step,epoch\n1,2\n")
    with pytest.raises(ValueError, match="is no history of a run"):
        read_history(tmp_path)


def test_the_history_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: train)")
    history = History(tmp_path, 0)
    history.add(["0", 0, 0, 0.0, 1e-3, "nan", 9.0, 3.0, 2.0, 2.0, 2.0])
    history.add(line(5))
    assert plot_history(tmp_path).read_bytes().startswith(b"\x89PNG")
    assert b"held out" in plot_history(tmp_path, tmp_path / "x.svg").read_bytes()
    with pytest.raises(ValueError, match=r"x\.odd: "):
        plot_history(tmp_path, tmp_path / "x.odd")
