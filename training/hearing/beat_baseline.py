"""What tempo hearing is compared with: the autocorrelation of the last onsets, and pretty_midi's estimate."""

from __future__ import annotations

import math
import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
STEP_S: Final = 0.01
EACH_S: Final = 0.2  # it looks again so often
HEARD_S: Final = 12.0  # so much of the past is looked at
_TYPICAL_S, _SPREAD = 0.6, 0.4  # the preferred tempo: 100 bpm, and how far from it (of its logarithm)


class Autocorrelation:
    """No tracking: the lag at which the last onsets look most like themselves, about 100 bpm, and its best phase."""

    def __init__(self) -> None:
        self._onsets: list[tuple[float, float]] = []  # (seconds, velocity)
        self._found: tuple[float, float, float] | None = None  # (last onset, period, phase)

    def hear(self, at_s: float, pitch: int, velocity: int) -> None:
        """A key went down."""
        self._onsets.append((at_s, velocity / 100.0))

    def tempo_bpm(self, at_s: float) -> float | None:
        """Beats a minute."""
        found = self._look()
        return 60.0 / found[0] if found else None

    def next_beat_s(self, after_s: float) -> float | None:
        """The first beat after a moment."""
        found = self._look()
        if not found:
            return None
        period_s, phase_s = found
        return phase_s + (math.floor((after_s - phase_s) / period_s) + 1) * period_s

    def confidence(self, at_s: float) -> float:
        """It is always as sure."""
        return 1.0

    def _look(self) -> tuple[float, float] | None:
        if len(self._onsets) < 3:
            return None
        last_s = self._onsets[-1][0]
        if self._found is None or last_s > self._found[0] + EACH_S:
            lately = np.array([onset for onset in self._onsets[-200:] if onset[0] > last_s - HEARD_S])
            train = np.zeros(round(HEARD_S / STEP_S) + 1)
            np.add.at(train, ((lately[:, 0] - last_s) / STEP_S).round().astype(int) - 1, lately[:, 1])
            smooth = np.convolve(train, np.hanning(7), "same")
            lags = np.arange(25, 200)
            like = np.array([smooth[lag:] @ smooth[:-lag] for lag in lags])
            like = like * np.exp(-0.5 * (np.log(lags * STEP_S / _TYPICAL_S) / _SPREAD) ** 2)
            lag = int(lags[like.argmax()])
            comb = [smooth[::-1][phase::lag].sum() for phase in range(lag)]
            self._found = last_s, lag * STEP_S, last_s - int(np.argmax(comb)) * STEP_S
        return self._found[1:]


def pretty_midi_bpm(notes: list[tuple[float, int, int]]) -> float | None:
    """The tempo that pretty_midi's `estimate_tempo` makes of notes (onset_s, pitch, velocity); None where of none."""
    import pretty_midi

    song = pretty_midi.PrettyMIDI()
    piano = pretty_midi.Instrument(0)
    piano.notes = [pretty_midi.Note(velocity, pitch, at_s, at_s + 0.1) for at_s, pitch, velocity in notes]
    song.instruments.append(piano)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(song.estimate_tempo())
    except (ValueError, IndexError):  # too few notes for it
        return None
