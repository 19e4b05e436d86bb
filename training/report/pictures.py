"""The page's other pictures: nats by head, histograms, histories, self-similarity, copied runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import HEADS
from training.figures import histograms as bins
from training.figures.histograms import KINDS, overlap
from training.report.drawing import (
    ANSWER,
    GRID,
    INK,
    REAL,
    SERIES,
    WIDTH_IN,
    Picture,
    finished,
    label,
    new_figure,
    style,
)

Array = npt.NDArray[Any]
MOST_RUNS: Final = len(SERIES)  # lines in one picture
TITLES: Final = {
    "pitch_class": "pitch class", "inter_onset": "time between onsets, s", "duration": "length, s",
    "velocity": "velocity", "polyphony": "notes at once", "density": "onsets a second",
}  # fmt: skip
_CLASSES: Final = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")


def nats(rows: Sequence[Mapping[str, Any]], name: str) -> Picture:
    """Bars of nats a note, the heads one after the other, with the interval of the total; the best on top."""
    ordered = sorted(rows, key=lambda row: -float(row["total"]))
    with style(f"nats-{name}"):
        figure = new_figure(0.9 + 0.36 * len(ordered))
        axes = figure.subplots()
        at = np.arange(len(ordered))
        left = np.zeros(len(ordered))
        for k, head in enumerate(HEADS):
            width = np.array([float(row["by_head"][head]) for row in ordered])
            axes.barh(at, width, left=left, height=0.62, color=SERIES[k], label=head, edgecolor=INK, linewidth=0.4)
            left += width
        total = np.array([float(row["total"]) for row in ordered])
        ends = np.array([[float(row["low"]), float(row["high"])] for row in ordered]).T
        axes.errorbar(total, at, xerr=np.maximum(np.abs(ends - total), 0), fmt="none", ecolor=INK, capsize=3)
        for y, (value, high) in enumerate(zip(total, ends[1], strict=True)):
            axes.annotate(f"{value:.3f}", (high, y), (5, 0), textcoords="offset points", va="center")
        axes.set_yticks(at, [label(str(row["name"])) for row in ordered])
        axes.set_xlim(0, 1.12 * float(max(total.max(), ends.max())))
        axes.set_xlabel("nats a note (less is better), by head; the whisker is the 95 % interval of the total")
        axes.grid(axis="x")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=len(HEADS))
        return finished(figure, "Nats a note: " + ", ".join(f"{r['name']} {float(r['total']):.3f}" for r in ordered))


def histograms(made: Mapping[str, Array], real: Mapping[str, Array], name: str) -> Picture:
    """Six histograms: what was generated as a line, what pianists played as an area, and how far they overlap."""
    with style(f"histograms-{name}"):
        figure = new_figure(5.0)
        for axes, kind in zip(figure.subplots(2, 3).flat, KINDS, strict=True):
            ours, theirs = (counts / max(counts.sum(), 1) for counts in (made[kind], real[kind]))
            edges = np.arange(len(ours) + 1) - 0.5
            axes.stairs(theirs, edges, fill=True, color=REAL, alpha=0.35, label="pianists")
            axes.stairs(ours, edges, color=ANSWER, linewidth=1.6, label="generated")
            axes.set_title(f"{TITLES[kind]} – overlap {overlap(made[kind], real[kind]):.3f}")
            axes.set_xticks(*_ticks(kind, len(ours)))
            axes.set_xlim(edges[0], edges[-1])
            axes.grid(axis="y")
        figure.axes[0].set_ylabel("share")
        figure.axes[3].set_ylabel("share")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        says = ", ".join(f"{TITLES[kind]} {overlap(made[kind], real[kind]):.3f}" for kind in KINDS)
        return finished(figure, f"Histograms of generated and real music; overlapping areas: {says}")


def _ticks(kind: str, count: int) -> tuple[list[float], list[str]]:
    """Where the ticks of a histogram stand, in bins, and what they say."""
    if kind == "pitch_class":
        return list(range(12)), list(_CLASSES)
    if kind in ("inter_onset", "duration"):  # edges, not middles
        edges = bins.STEP_EDGES_S if kind == "inter_onset" else bins.DURATION_EDGES_S
        shown = range(1, count, 3)
        return [k - 0.5 for k in shown], [f"{edges[k]:.2g}" for k in shown]
    if kind == "velocity":
        shown = range(0, count + 1, 4)
        return [k - 0.5 for k in shown], [str(bins.VELOCITY_EDGES[k]) for k in shown]
    if kind == "polyphony":
        return list(range(0, count, 2)), [str(k + 1) for k in range(0, count, 2)]
    return list(range(0, count, 4)), [str(k) if k < count - 1 else f"{k}+" for k in range(0, count, 4)]


def history(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """Nats a note over the updates of each run, learned and held out, and the held-out pieces' by head."""
    with style("history"):
        figure = new_figure(3.4 if len(runs) < 4 else 4.0)
        left, right = figure.subplots(1, 2)
        for colour, (name, rows) in zip(SERIES, runs.items(), strict=False):
            minutes = [row["minutes"] for row in rows]
            left.plot(minutes, [row["validation_nats"] for row in rows], "o-", markersize=3, color=colour,
                      label=f"{label(name)}, held out")  # fmt: skip
            left.plot(minutes, [row["train_nats"] for row in rows], "--", color=colour, linewidth=1,
                      label=f"{label(name)}, learned from")  # fmt: skip
            for head, line in zip(HEADS, ("-", "--", ":", "-."), strict=True):
                right.plot(minutes, [row[head] for row in rows], line, color=colour,
                           label=head if name == next(iter(runs)) else None)  # fmt: skip
        for axes, title in ((left, "nats a note"), (right, "held out, by head")):
            axes.set_title(title)
            axes.set_xlabel("minutes of training")
            axes.grid()
            axes.legend(fontsize=7.5, labelcolor=INK)
        return finished(figure, f"How training went: {', '.join(runs)}")


def similarity(matrices: Mapping[str, Mapping[str, Array]], bars: int) -> Picture:
    """Self-similarity of so many bars, the mean over several pieces: pitch classes of each player, then rhythm."""
    kinds = {"pitch_classes": "pitch classes", "rhythm": "rhythm"}
    one_row = len(matrices) <= 2
    columns = 2 * len(matrices) if one_row else len(matrices)
    ticks = [1, *range(bars // 4, bars + 1, bars // 4)] if bars >= 8 else list(range(1, bars + 1))
    with style(f"similarity-{bars}"):
        figure = new_figure((1 if one_row else 2) * (0.92 * WIDTH_IN / columns + 0.35))
        grid = figure.subplots(1 if one_row else 2, columns, squeeze=False)
        panels = [(kind, name) for kind in kinds for name in matrices]
        for axes, (kind, name) in zip(grid.flat, panels, strict=True):
            shown = axes.imshow(matrices[name][kind], vmin=0, vmax=1, cmap="cividis", origin="lower",
                                extent=(0.5, bars + 0.5, 0.5, bars + 0.5))  # fmt: skip
            axes.set_title(f"{label(name)}: {kinds[kind]}")
            axes.set_xticks(ticks)
            axes.set_yticks(ticks)
            axes.set_xlabel("bar")
        figure.axes[0].set_ylabel("bar")
        figure.colorbar(shown, ax=grid.ravel().tolist(), label="cosine", shrink=0.8, pad=0.01)
        return finished(figure, f"Self-similarity of {bars} bars: {', '.join(matrices)}")


def runs(found: Mapping[str, Sequence[int]], where: str) -> Picture:
    """How long the longest run of pitches is that stands in ``where``: each player's share of answers by length."""
    longest = max([max(values) for values in found.values() if len(values)] or [1])
    edges = np.arange(longest + 2) - 0.5
    with style(f"runs-{where}"):
        figure = new_figure(2.6)
        axes = figure.subplots()
        for colour, line, (name, values) in zip(SERIES, ("-", "--", ":", "-.", "-", "--"), found.items(), strict=False):
            share = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(share, edges, color=colour, linestyle=line, linewidth=1.6,
                        label=f"{label(name)}, median {np.median(values):g}, longest {max(values)}")  # fmt: skip
        axes.set_xlabel(f"longest run of pitches that stands in {where}, notes")
        axes.set_ylabel("share of answers")
        axes.set_xlim(0, edges[-1] + 0.5)
        axes.locator_params(axis="x", integer=True)
        axes.grid(axis="y", color=GRID)
        axes.legend()
        said = ", ".join(
            f"{name} median {np.median(values):g}, longest {max(values)}" for name, values in found.items()
        )
        return finished(figure, f"Longest run of pitches that stands in {where}: {said}")
