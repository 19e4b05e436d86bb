"""The program as it is run: exit codes, data on stdout, and one sentence for what a person can get wrong."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from livemuse.midi.smf import notes_of, read_song
from livemuse.music.theory import parse_key

CALL = Path(__file__).parent / "data" / "handel-air-hwv425.mid"
MODEL = Path(__file__).parent.parent / "models" / "concert"


def run(*arguments: object, cwd: Path, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
    home = {name: os.fspath(cwd) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "livemuse", *(str(a) for a in arguments)],
        cwd=cwd, env={**os.environ, **home, "LIVEMUSE_AUDIO": "null"}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=timeout_s,
    )  # fmt: skip


def refused(*arguments: object, cwd: Path) -> str:
    done = run(*arguments, cwd=cwd)
    talk = done.stderr.strip().splitlines()
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert 1 <= len(talk) <= 3
    assert talk[0].startswith("livemuse: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def answered(cwd: Path, *arguments: object) -> list[tuple[float, int, float, int]]:
    done = run("answer", CALL, "-o", cwd / "answer.mid", "--seconds", 8, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    notes = notes_of(read_song((cwd / "answer.mid").read_bytes()))
    return [(n.onset_s, n.pitch, n.end_s, n.velocity) for n in notes]


def test_version_and_help(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.startswith("livemuse ")
    for command in (
        "daemon",
        "attach",
        "ctl",
        "ports",
        "models",
        "answer",
        "demo",
        "render",
        "sessions",
        "doctor",
        "bench",
    ):
        shown = run(command, "-h", cwd=tmp_path)
        assert (shown.returncode, "example: livemuse " in shown.stdout) == (0, True), command


def test_misuse_is_2(tmp_path: Path) -> None:
    assert run("answer", cwd=tmp_path).returncode == 2
    assert run("no-such-command", cwd=tmp_path).returncode == 2
    assert run("answer", CALL, "-o", "a.mid", "--set", "temperature", cwd=tmp_path).returncode == 2


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert run("answer", CALL, "-o", f"{name}.mid", "--seconds", 8, "--seed", seed, cwd=tmp_path).returncode == 0
        files.append((tmp_path / f"{name}.mid").read_bytes())
    assert files[0] == files[1] != files[2]


def test_temperature_0_is_the_same_whatever_the_seed(tmp_path: Path) -> None:
    cold = [answered(tmp_path, "--set", "temperature=0", "--seed", seed) for seed in (1, 2)]
    assert cold[0] == cold[1]


def test_controls_are_obeyed(tmp_path: Path) -> None:
    classes = parse_key("Eb dorian").pitch_classes
    in_key = answered(tmp_path, "--set", "key=Eb dorian", "--set", "key_strength=1")
    assert all(pitch % 12 in classes for _, pitch, _, _ in in_key)
    assert all(60 <= pitch <= 84 for _, pitch, _, _ in answered(tmp_path, "--set", "register=60-84"))
    onsets_s = [onset_s for onset_s, _, _, _ in answered(tmp_path, "--set", "max_notes_per_s=4")]
    assert all(later - earlier > 1.0 for earlier, later in zip(onsets_s, onsets_s[4:], strict=False))


def test_an_answer_is_whole(tmp_path: Path) -> None:
    notes = answered(tmp_path, "--seed", 3)
    assert len(notes) >= 3
    assert notes[0][0] == 0.0
    assert max(end_s for _, _, end_s, _ in notes) <= 8.0 + 1e-9
    assert len(answered(tmp_path, "--seed", 3)) == len(notes)


@pytest.mark.parametrize("content", [b"", b"MThd", b"<html>404</html>", CALL.read_bytes()[:3000], bytes(1000)])
def test_a_call_that_is_no_whole_midi_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "call.mid").write_bytes(content)
    refused("answer", "call.mid", "-o", "answer.mid", cwd=tmp_path)
    assert not (tmp_path / "answer.mid").exists()


def test_a_call_that_is_not_there_and_an_answer_that_cannot_be_written(tmp_path: Path) -> None:
    refused("answer", "nothing.mid", "-o", "answer.mid", cwd=tmp_path)
    (tmp_path / "file").write_text("")
    refused("answer", CALL, "-o", tmp_path / "file" / "answer.mid", cwd=tmp_path)


@pytest.mark.parametrize(
    "setting",
    [
        "key=H major",
        "temperature=9",
        "temperature=nan",
        "chords=Am H",
        "register=90-10",
        "mode=jazz",
        "seed=-1",
        "wait=x",
    ],
)
def test_controls_that_make_no_sense(tmp_path: Path, setting: str) -> None:
    refused("answer", CALL, "-o", "answer.mid", "--set", setting, cwd=tmp_path)


def test_models_that_cannot_play(tmp_path: Path) -> None:
    refused("answer", CALL, "-o", "answer.mid", "--model", "no-such-model", cwd=tmp_path)
    for number, damage in enumerate(("manifest", "step", "version", "gone")):
        folder = tmp_path / f"model{number}"
        folder.mkdir()
        for file in MODEL.iterdir():
            shutil.copyfile(file, folder / file.name)
        manifest = json.loads((folder / "manifest.json").read_text())
        if damage == "manifest":
            (folder / "manifest.json").write_text("{")
        elif damage == "step":
            (folder / "step.onnx").write_bytes((folder / "step.onnx").read_bytes()[:5000])
        elif damage == "version":
            (folder / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
        else:
            (folder / "head_step.onnx").unlink()
        refused("answer", CALL, "-o", "answer.mid", "--model", folder, cwd=tmp_path)
        refused("daemon", "--sound", "off", "--model", folder, "--record", tmp_path / "s", cwd=tmp_path)
    assert not (tmp_path / "answer.mid").exists()
    assert not list((tmp_path / "s").glob("*"))


@pytest.mark.parametrize("arguments", [("--in", "No Such Keyboard"), ("--out", "No Such Synth")])
def test_ports_that_are_not_there(tmp_path: Path, arguments: tuple[str, str]) -> None:
    refused("daemon", "--sound", "off", "--record", "s", *arguments, cwd=tmp_path)


def test_an_interface_that_is_not_of_this_system(tmp_path: Path) -> None:
    other = "winmm" if sys.platform != "win32" else "core"
    refused("daemon", "--sound", "off", "--record", "s", "--api", other, cwd=tmp_path)
    refused("daemon", "--sound", "off", "--record", "s", "--api", "telepathy", cwd=tmp_path)
    refused("ports", "--api", other, cwd=tmp_path)


def test_no_engine_to_talk_to(tmp_path: Path) -> None:
    assert "No engine is running" in refused("ctl", "status", cwd=tmp_path)
    refused("attach", cwd=tmp_path)


def test_a_socket_that_answers_nonsense(tmp_path: Path) -> None:
    (tmp_path / "livemuse").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(tmp_path / "livemuse" / "livemuse.sock"))
        listening.listen(4)

        def nonsense() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n\x00\xff")

        thread = threading.Thread(target=nonsense, daemon=True)
        thread.start()
        refused("ctl", "status", cwd=tmp_path)
        thread.join(5)


def test_settings_that_make_no_sense(tmp_path: Path) -> None:
    for text in (
        "[controls]\ntemperature = 9\n",
        "[daemon]\napi = 'x'\n",
        "not toml",
        "[other]\n",
        "[daemon]\nmap = ['x']\n",
    ):
        (tmp_path / "settings.toml").write_text(text)
        refused("daemon", "--settings", "settings.toml", cwd=tmp_path)


def test_demo(tmp_path: Path) -> None:
    done = run("demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) == {"heard", "answered", "decide_to_first_ms", "session"}
    assert said["heard"] > 0 < said["answered"]
    song = read_song(Path(said["session"]).read_bytes())
    assert song.track_names[1:] == ("player", "livemuse")
    assert len(notes_of(song, track=1)) == said["heard"]
    assert len(notes_of(song, track=2)) == said["answered"]


def test_the_terms_of_a_non_commercial_model_are_said_once(tmp_path: Path) -> None:
    ask = ("answer", CALL, "-o", tmp_path / "answer.mid", "--seconds", 1, "--model", "concert")
    first, second = run(*ask, cwd=tmp_path), run(*ask, cwd=tmp_path)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr.startswith("The model concert is for non-commercial use only: it was trained on music under CC")
    assert len(first.stderr.splitlines()) == 2
    assert "commercial" not in second.stderr


def test_a_style_is_mixed_from_those_of_the_model(tmp_path: Path) -> None:
    from tests.model.tiny import tiny_bundle

    model = tiny_bundle(tmp_path / "styled", "performance", ("genre:jazz", "composer:Chopin"))
    plain = answered(tmp_path, "--model", model)
    assert answered(tmp_path, "--model", model, "--set", "style=jazz=0.7, chopin 30%") != plain
    assert answered(tmp_path, "--model", model, "--set", "style=") == plain
    ask = ("answer", CALL, "-o", "a.mid", "--model", model, "--set")
    assert "Near: genre:jazz." in refused(*ask, "style=jaz", cwd=tmp_path)
    (tmp_path / "livemuse").mkdir(exist_ok=True)
    (tmp_path / "livemuse/models").symlink_to(tmp_path)
    shown = run("models", cwd=tmp_path).stdout
    assert "styled      performance  1.50 nats a note" in shown
    assert "free to use     CC0-1.0\n            styles: genre:jazz, composer:Chopin\n" in shown


def test_lists_are_json(tmp_path: Path) -> None:
    models = json.loads(run("models", "--json", cwd=tmp_path).stdout)
    assert "concert" in [model["name"] for model in models]
    assert next(model["use"] for model in models if model["name"] == "concert") == "non-commercial"
    assert json.loads(run("sessions", "--json", cwd=tmp_path).stdout) == []
    assert isinstance(json.loads(run("ports", "--json", cwd=tmp_path).stdout), list)
    findings = json.loads(run("doctor", "--json", cwd=tmp_path).stdout)
    assert {"python", "midi", "sound", "models"} <= {finding["name"] for finding in findings}
