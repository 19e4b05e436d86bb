"""Some updates of a tiny network, on whatever backend: `python -m tests.training.some_updates OUT START`.

START is a checkpoint to begin with. OUT gets 1.npz and 20.npz, the checkpoints after so many updates, and said.npz: the
nats of each update, and what the network then says of some notes.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from livemuse.music.vocabulary import HEADS
from training.config import Config, Shape
from training.corpus import Corpus, Piece
from training.dataset import batches
from training.distributed import ALONE, Workers, agreed, joined, shared_lanes
from training.lanes import plan_lanes, vary
from training.run import Run, new_run
from training.update import limit_threads, make_update

STYLES = ("genre:jazz", "genre:pop")
UPDATES = 20
CONFIG = Config(
    lanes=4, chunk=8, dropout=0.0, encore=0.5, weights={"pitch": 2.0},
    shape=Shape(units=8, embed_pitch=6, embed_other=4, head_width=8, attention=3, attention_width=32),
)  # fmt: skip


def invented(pieces: int = 12, notes: int = 80) -> Corpus:
    rng = np.random.default_rng(3)
    count = pieces * notes
    named = tuple(
        Piece(f"{k}.mid", "Invented", "CC0 1.0", notes, str(k), genre=("jazz", "pop")[k % 2]) for k in range(pieces)
    )
    return Corpus(
        named,
        np.arange(0, count + 1, notes, dtype=np.int64),
        rng.integers(40, 80, count).astype(np.uint8),
        rng.uniform(0, 0.5, count).astype(np.float32),
        rng.uniform(0.05, 1, count).astype(np.float32),
        rng.integers(30, 100, count).astype(np.uint8),
    )


def begin(config: Config = CONFIG) -> Run:
    return new_run(config, STYLES)


def some_updates(out: Path, start: Path, workers: Workers = ALONE) -> None:
    corpus = invented()
    with workers.scope():
        run = begin()
        run.load(start)
        update = make_update(run)
        order, variation, encores = vary(corpus, CONFIG, 0, STYLES)
        plan = plan_lanes(corpus, CONFIG.lanes, CONFIG.chunk, order, full=False, encores=encores)
        nats = []
        for step, batch in zip(range(UPDATES), batches(corpus, plan, variation, CONFIG.chunk), strict=False):
            run.optimizer.learning_rate.assign(0.01)
            total, count, run.state = update(batch, run.state, step)
            nats.append(float(total) / float(count))
            if step in (0, UPDATES - 1) and workers.chief:
                run.save(out / f"{step + 1}.npz")
        assert agreed(1.0 if workers.chief else 2.0) == 1.0
        assert shared_lanes(5) == (4 if workers.strategy else 5)
        if workers.strategy:
            refuses_odd_lanes(start.parent)
    if workers.chief:
        np.savez(out / "said.npz", nats=nats, **said(run))


def refuses_odd_lanes(folder: Path) -> None:
    """A run of five lanes does not go on with two workers."""
    from training.train import train

    with pytest.raises(ValueError, match="5 lanes cannot be shared"):
        train(folder / "notes", folder / "odd", None, True, str)


def some_notes(steps: int = 30) -> np.ndarray:
    """(steps, 4, 1), the first the beginning of a piece."""
    rng = np.random.default_rng(5)
    notes = rng.integers(0, 32, (steps, len(HEADS), 1)).astype(np.int32)
    notes[0, :, 0] = 128, 0, 0, 0
    return notes


def said(run: Run) -> dict[str, np.ndarray]:
    """The pitch logits of the network after each of some notes, read one by one, and the last state."""
    state, logits = run.network.zero_state(1), []
    for note in some_notes():
        pitch_logits, _, state = run.network.step(list(note), state, np.ones((1, len(STYLES)), np.float32))
        logits.append(np.asarray(pitch_logits))
    flat = [np.asarray(part) for pair in state for part in pair]
    return {"pitch_logits": np.stack(logits)} | dict(zip(run.network.state_names, flat, strict=True))


if __name__ == "__main__":
    if "without-tensorflow" in sys.argv:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    limit_threads(1)
    with joined(1, ()) as workers:
        some_updates(Path(sys.argv[1]), Path(sys.argv[2]), workers)
