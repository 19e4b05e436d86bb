"""Weights to a model of the family `melody`: one graph for a sixteenth, proved equal to Keras', manifest and card."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from livemuse.model.bundle import FORMAT_VERSION, MANIFEST, load_bundle
from livemuse.music.grid import BEGIN, EVENTS, GRID_SHA256, HOLD, PER_BAR, PER_BEAT
from training.bundles import (
    WEIGHTS,
    graph_rows,
    open_graphs,
    put,
    revision,
    room_for_a_model,
    training_row,
    write_weights,
)
from training.corpus import Piece
from training.epochs import BEST
from training.evaluate import bootstrap
from training.golden import GOLDEN, GOLDEN_STEPS, Kept, write_golden
from training.graphs import OPSET, convert
from training.melody.baselines import baseline_nats
from training.melody.card import card
from training.melody.network import Network
from training.melody.run import load_best
from training.melody.tunes import Array, Say, Tunes, digest_of_tunes
from training.weights import STEPS, Trial, choose_weights

FAMILY: Final = "melody"
SEED: Final = 7  # of the sampled steps that the graphs are compared on


def export(run: Path, tunes: dict[str, Tunes], out: Path, say: Say) -> dict[str, Any]:
    """Write the model of a run's best weights to `out`, scored on the validation tunes; returns its manifest.

    Raises ValueError where there are no weights, where they have learned from other tunes, or where the graph does not
    say what the network says.
    """
    if not (run / BEST).is_file():
        raise ValueError(f"{run} holds no weights yet: train first")
    out = room_for_a_model(out)
    network, about = load_best(run / BEST)
    mine = digest_of_tunes(tunes)
    if about.get("notes_sha256", mine) != mine:  # files of before do not say it
        raise ValueError(f"{run / BEST} has learned from other tunes than those that {run} holds now")
    held_out = tunes["validation"]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        folder, float32, eight = (Path(scratch) / name for name in (out.name, "float32", "8bit"))
        folder.mkdir()
        float32.mkdir()
        write_graph(network, float32)
        step = make_step(network)
        given, said = sampled(network, step, STEPS, 1)
        trial = Trial(
            said,
            lambda graphs: onnx_outputs(graphs, given),
            lambda graphs: onnx_nats(graphs, held_out),
            held_out.count,
            "event",
        )
        chosen = choose_weights(float32, eight, trial, say)
        files = {name: path.rename(folder / path.name) for name, path in chosen.files.items()}
        kept = []
        for batch, steps in GOLDEN_STEPS.items():
            given, said = sampled(network, step, steps, batch)
            own = onnx_outputs(folder, given) if chosen.weights["bits"] == 8 else None
            kept.append(Kept(given, said, own))
        write_golden(folder / GOLDEN, kept)
        about["progress"]["notes"] = about["progress"]["events"]
        write_weights(network, about, folder / WEIGHTS)
        say("counting what the baselines expect")
        found = manifest(network, about, files, tunes["train"])
        found["held_out"] = scores(chosen.score, tunes)
        found["weights"] = chosen.weights
        (folder / MANIFEST).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        load_bundle(folder)
        (folder / "MODEL.md").write_text(card(found), encoding="utf-8")
        put(folder, out)
    say(f"{out} is ready: {found['held_out']['nats_per_event']:.4f} nats an event")
    return found


def write_graph(network: Network, folder: Path) -> Path:
    """Write step.onnx: an event, the place in the bar of the next one, and the state; logits and the state after."""

    def step(event: Any, position: Any, *state: Any) -> Any:
        logits, after = network.step(event, position, list(state))
        return [logits, *after]

    widths = network.state_widths
    signature = [tf.TensorSpec((None,), tf.int32, name=name) for name in ("event", "position")]
    signature += [tf.TensorSpec((None, width), tf.float32, name=name) for name, width in widths.items()]
    return convert(step, signature, ["event_logits", *(f"{name}_out" for name in widths)], folder / "step.onnx")


def make_step(network: Network) -> Callable[..., Any]:
    """The compiled step of a network, for a batch of any size."""
    whole = tf.TensorSpec((None,), tf.int32)
    carried = [tf.TensorSpec((None, width), tf.float32) for width in network.state_widths.values()]

    @tf.function(input_signature=[whole, whole, carried])  # type: ignore[untyped-decorator]
    def step(event: Any, position: Any, state: Any) -> Any:
        return network.step(event, position, state)

    return step  # type: ignore[no-any-return]


def sampled(
    network: Network, step: Callable[..., Any], steps: int, batch: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """A voice that the network makes up itself, from BEGIN: what it is fed, and what it says, (steps, batch, ...)."""
    rng = np.random.default_rng(SEED)
    event, state = np.full(batch, BEGIN, np.int32), network.zero_state(batch)
    given: dict[str, list[Array]] = {"event": [], "position": []}
    said: dict[str, list[Array]] = {name: [] for name in ("event_logits", *(f"{n}_out" for n in network.state_names))}
    for number in range(steps):
        position = np.full(batch, number % PER_BAR, np.int32)
        logits, state = step(tf.constant(event), tf.constant(position), state)
        given["event"].append(event)
        given["position"].append(position)
        for name, value in zip(said, (logits, *state), strict=True):
            said[name].append(value.numpy())
        gumbel = rng.gumbel(size=(batch, EVENTS))
        event = np.argmax(logits.numpy() + gumbel, 1).astype(np.int32)
    return _stacked(given), _stacked(said)


def onnx_outputs(folder: Path, given: dict[str, Array]) -> dict[str, Array]:
    """What the exported graph says of the same, the state carried by hand."""
    session = open_graphs(folder)["step"]
    outputs = [value.name for value in session.get_outputs()]
    widths = {value.name: value.shape[1] for value in session.get_inputs() if value.name not in given}
    state = {name: np.zeros((given["event"].shape[1], width), np.float32) for name, width in widths.items()}
    said: dict[str, list[Array]] = {name: [] for name in outputs}
    for row in range(len(given["event"])):
        fed = {name: values[row] for name, values in given.items()}
        found = dict(zip(outputs, session.run(outputs, fed | state), strict=True))
        state = {name: found[f"{name}_out"] for name in state}
        for name in outputs:
            said[name].append(found[name])
    return _stacked(said)


def onnx_nats(folder: Path, tunes: Tunes) -> Array:
    """Nats of each event of each tune by the exported graph, (events,): as it plays, from the tune's first note."""
    session = open_graphs(folder)["step"]
    names = [value.name for value in session.get_inputs()][2:]
    widths = {value.name: value.shape[1] for value in session.get_inputs()[2:]}
    lengths, nats = np.diff(tunes.starts), np.zeros(tunes.count)
    order = np.argsort(-lengths, kind="stable")
    begin, length = tunes.starts[:-1][order], lengths[order]
    event = np.full(len(order), BEGIN, np.int32)
    state = [np.zeros((len(order), widths[name]), np.float32) for name in names]
    for number in range(int(length[0])):
        going = int((length > number).sum())  # longest first: those that are over stand at the end
        fed = {"event": event[:going], "position": np.full(going, number % PER_BAR, np.int32)}
        fed |= {name: array[:going] for name, array in zip(names, state, strict=True)}
        logits, *state = session.run(["event_logits", *(f"{name}_out" for name in names)], fed)
        came = tunes.events[begin[:going] + number].astype(np.int32)
        shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
        nats[begin[:going] + number] = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(going), came]
        event = came
    return nats


def scores(nats: Array, tunes: dict[str, Tunes]) -> dict[str, Any]:
    """The manifest's `held_out`: nats (events,) of what is shipped, by source, and beside the baselines."""
    held_out = tunes["validation"]
    by_tune = np.add.reduceat(nats, held_out.starts[:-1])
    low, high = bootstrap(by_tune, np.diff(held_out.starts))
    source = np.repeat([about.source for about in held_out.about], np.diff(held_out.starts))
    begins = held_out.events < HOLD
    each = round(float(nats.sum()) / held_out.count, 4)
    return {
        "split": "validation",
        "pieces": len(held_out.about),
        "notes": held_out.notes,
        "events": held_out.count,
        "nats_per_event": each,
        "nats_per_note": each,  # what the loader reads, whatever the family: by what a step of it is
        "interval_95": [round(low, 4), round(high, 4)],
        "nats_per_begun_note": round(float(nats.sum()) / held_out.notes, 4),
        "nats_where_a_note_begins": round(float(nats[begins].mean()), 4),
        "nats_where_none_begins": round(float(nats[~begins].mean()), 4),
        "by_source": {name: round(float(nats[source == name].mean()), 4) for name in sorted(set(source.tolist()))},
        "baselines": {
            name: round(float(expected.mean()), 4) for name, expected in baseline_nats(tunes["train"], held_out).items()
        },
    }


def manifest(network: Network, about: dict[str, Any], files: dict[str, Path], train: Tunes) -> dict[str, Any]:
    """All that the loader checks and a reader may want to know, except the scores."""
    pieces = [Piece(f"{t.file}#{t.track}", t.source, t.licence, t.notes, t.file) for t in train.about]
    row = training_row(pieces, about)
    return {
        "format_version": FORMAT_VERSION,
        "name": about["config"]["name"],
        "family": FAMILY,
        "units": network.shape.units,
        "layers": network.shape.layers,
        "vocabulary": {"sha256": GRID_SHA256[FAMILY]},
        "grid": {"per_beat": PER_BEAT, "per_bar": PER_BAR},
        "state": [{"name": n, "units": width, "dtype": "float32"} for n, width in network.state_widths.items()],
        "styles": [],
        "graphs": graph_rows(files),
        "opset": OPSET,
        "training": row | {"events": train.count, "events_heard": row.pop("notes_heard")},
        "git_revision": revision(),
    }


def _stacked(rows: dict[str, list[Array]]) -> dict[str, Array]:
    return {name: np.stack(values) for name, values in rows.items()}
