"""What is heard in the test: so many bars of ours, of the pianists and of the ancestor designs, all cut alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from livemuse.music.notes import Note
from training.corpus import Corpus, load_corpus
from training.figures.longform import LONGEST_S, Opening, openings
from training.figures.playing import controls_of, improvise, load_stepper

Kind = Literal["ours", "real", "baseline"]
KINDS: Final[tuple[Kind, ...]] = ("ours", "real", "baseline")
LEAD_S: Final = 0.25  # of silence before the first note of every item
SPARE_BARS: Final = 1  # played more than is heard: whoever waits before the first note is not heard to end early
SHORTEST_S: Final = 0.02  # a note that would sound shorter at the cut is left out
FEWEST_ITEMS, MOST_ITEMS = 4, 99
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training listening make` was asked for."""

    model: Path
    data: Path
    out: Path
    ancestors: Path | None = None  # where `python -m training baselines` has kept them
    baselines: tuple[str, ...] = ()  # names; all that are trained there where none is named
    items: int = 20
    bars: int = 16
    bar_s: float = 2.0
    seed: int = 0
    settings: tuple[str, ...] = ()

    @property
    def length_s(self) -> float:
        """How long an item is, without the silence around it."""
        return self.bars * self.bar_s


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be heard and marked; its first note falls on ``LEAD_S``."""

    kind: Kind
    name: str  # who plays: a model, a baseline, or the pianist
    piece: str  # the file whose opening it goes on from
    notes: tuple[Note, ...]


def check(asked: Asked) -> None:
    """ValueError for what cannot be asked for."""
    if not FEWEST_ITEMS <= asked.items <= MOST_ITEMS:
        raise ValueError(f"--items is from {FEWEST_ITEMS} to {MOST_ITEMS}, not {asked.items}")
    if not 0.5 <= asked.bar_s <= 10 or asked.bars < 1 or asked.length_s > LONGEST_S:
        raise ValueError(f"an item is from one bar to {LONGEST_S:g} s, and a bar from 0.5 to 10 s")
    if asked.seed < 0:
        raise ValueError(f"--seed is 0 or more, not {asked.seed}")
    if asked.baselines and asked.ancestors is None:
        raise ValueError("--baseline needs --run: the folder where `python -m training baselines` has kept them")


def baseline_names(asked: Asked) -> tuple[str, ...]:
    """The baselines that are to play; ValueError for one that is unknown or not trained."""
    from training.baselines import table
    from training.baselines.answer import number_of

    if asked.ancestors is None:
        return ()
    here = {name for name in table.NAMES.values() if (asked.ancestors / f"{name}.npz").is_file()}
    named = tuple(dict.fromkeys(table.NAMES[number_of(name)] for name in asked.baselines))
    for name in named:
        if name not in here:
            raise ValueError(f"{asked.ancestors} holds no trained {name}: run `python -m training baselines` first")
    if not here:
        raise ValueError(f"{asked.ancestors} holds no trained baseline: run `python -m training baselines` first")
    return named or tuple(name for _, name in sorted(table.NAMES.items()) if name in here)


def players(items: int, model: str, baselines: Sequence[str]) -> list[tuple[Kind, str]]:
    """Who plays each item, the kinds spread evenly: ours most, the pianists and the baselines three tenths each."""
    share = 0.3 if baselines else 0.4
    real = round(share * items)
    others = real if baselines else 0
    dealt: list[tuple[float, Kind, str]] = []
    for kind, count in (("ours", items - real - others), ("real", real), ("baseline", others)):
        for k in range(count):
            name = model if kind == "ours" else "pianist" if kind == "real" else baselines[k % len(baselines)]
            dealt.append(((k + 0.5) / count, kind, name))  # type: ignore[arg-type]
    return [(kind, name) for _, kind, name in sorted(dealt)]


def trimmed(notes: Sequence[Note], length_s: float) -> tuple[Note, ...]:
    """The notes from the first on for so many seconds, moved so that the first falls on ``LEAD_S``."""
    if not notes:
        return ()
    from_s = min(note.onset_s for note in notes)
    end_s = from_s + length_s
    kept = [replace(n, onset_s=n.onset_s - from_s + LEAD_S, duration_s=min(n.duration_s, end_s - n.onset_s))
            for n in notes if n.onset_s <= end_s - SHORTEST_S]  # fmt: skip
    return tuple(sorted(kept, key=lambda note: (note.onset_s, note.pitch)))


def one_of_each(corpus: Corpus, seed: int) -> Corpus:
    """The pieces with one performance of each composition, so that nothing is heard twice."""
    order = np.random.default_rng(seed).permutation(len(corpus.pieces))
    first = {corpus.pieces[p].composition or corpus.pieces[p].file: int(p) for p in order[::-1]}
    return corpus.select(sorted(first.values()))


def choose(asked: Asked, corpus: Corpus) -> tuple[list[Opening], list[Opening]]:
    """(an opening for each item, by genre; more of them, for where nothing is played); ValueError for too few."""
    corpus = one_of_each(corpus, asked.seed)
    found = openings(corpus, len(corpus.pieces), asked.bars + SPARE_BARS, asked.bar_s, asked.seed)
    if len(found) < asked.items:
        raise ValueError(
            f"{asked.data} has {len(found)} validation pieces that are long enough, "
            f"and {asked.items} items are wanted: fewer --items or --bars"
        )
    genre = {piece.file: piece.genre for piece in corpus.pieces}
    return sorted(found[: asked.items], key=lambda opening: genre[opening.file]), found[asked.items :]


def make_items(asked: Asked, say: Say) -> tuple[list[Item], list[str]]:
    """(the items in the order in which they are heard, a sentence for each time that nothing was played)."""
    check(asked)
    stepper, names = load_stepper(asked.model), baseline_names(asked)
    chosen, spare = choose(asked, load_corpus(asked.data, "validation"))
    rng = np.random.default_rng([asked.seed, 1])
    seeds = rng.integers(1, 1_000_000, asked.items).tolist()

    def play(kind: Kind, name: str, opening: Opening, seed: int) -> Sequence[Note]:
        if kind == "real":
            return opening.real
        if kind == "ours":
            length_s = min(asked.length_s + SPARE_BARS * asked.bar_s, LONGEST_S)
            controls = controls_of(asked.settings, length_s, seed)
            return improvise(stepper, opening.seed, controls)
        from training.baselines.answer import answer_notes, number_of

        assert asked.ancestors is not None
        return answer_notes(number_of(name), asked.ancestors, opening.seed, asked.length_s, seed)

    items, silent, more = [], [], iter(spare)
    for (kind, name), opening, seed in zip(players(asked.items, stepper.name, names), chosen, seeds, strict=True):
        for tried in _with_others(opening, more):
            notes = trimmed(play(kind, name, tried, seed), asked.length_s)
            if notes:
                break
            silent.append(f"{name} played nothing after {tried.file}; another piece was taken")
            say(silent[-1])
        else:
            raise ValueError(f"{name} plays nothing: there is nothing to be heard")
        items.append(Item(kind, name, tried.file, notes))
        say(f"{len(items)} of {asked.items} items played")
    return [items[k] for k in rng.permutation(len(items))], silent


def _with_others(first: Opening, others: Iterator[Opening]) -> Iterator[Opening]:
    yield first
    yield from others
