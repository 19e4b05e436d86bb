"""How loud a recording is to the ear, and one loudness for several recordings.

Source: ITU-R BS.1770-4: two filters that hear as an ear does, the power of blocks of 400 ms, and two gates that leave
out what is silent or far quieter than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LOUDEST_LUFS: Final = -20.0  # what all recordings are brought to, where none of them then clips
HEADROOM_DB: Final = 1.0  # what is left between the highest peak and full scale
_RATE: Final = 48_000  # the standard gives its filters for this rate
_SHELF: Final = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_BLOCK_S, _HOP_S = 0.4, 0.1
_GATE_LUFS, _GATE_LU = -70.0, -10.0


def loudness_lufs(sound: Array, rate: int) -> float:
    """The loudness of a recording, (frames, channels) with full scale 1; minus infinity for silence."""
    power = _block_powers(_weighted(sound, rate), rate)
    power = power[_lufs(power) > _GATE_LUFS]
    if len(power) == 0:
        return float("-inf")
    power = power[_lufs(power) > _lufs(power.mean()) + _GATE_LU]
    return float(_lufs(power.mean()))


def peak_db(sound: Array) -> float:
    """The highest sample, in decibels below full scale; minus infinity for silence."""
    highest = float(np.abs(sound).max(initial=0.0))
    return 20 * float(np.log10(highest)) if highest else float("-inf")


def one_loudness(sounds: Sequence[Array], rate: int) -> tuple[float, list[float]]:
    """(LUFS, a factor each) that make all recordings equally loud; quieter than wished where one would clip.

    ValueError where one of them is silent.
    """
    found = [loudness_lufs(sound, rate) for sound in sounds]
    if not all(np.isfinite(found)):
        raise ValueError("a recording is silent: it cannot be made as loud as the others")
    highest = min(one - HEADROOM_DB - peak_db(sound) for one, sound in zip(found, sounds, strict=True))
    target = min(LOUDEST_LUFS, highest)
    return target, [10 ** ((target - one) / 20) for one in found]


def _lufs(power: Any) -> Any:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-20))


def _weighted(sound: Array, rate: int) -> Array:
    """The recording as the standard's ear hears it, (frames, channels)."""
    size = len(sound) + rate  # room for the filters to die away in
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / rate) / _RATE)  # z to the power -1
    response = np.ones(len(turn), np.complex128)
    for over, under in (_SHELF, _HIGH_PASS):
        response *= np.polyval(over[::-1], turn) / np.polyval(under[::-1], turn)
    found: Array = np.fft.irfft(np.fft.rfft(sound, size, axis=0) * response[:, None], size, axis=0)[: len(sound)]
    return found


def _block_powers(sound: Array, rate: int) -> Array:
    """The power of each block of 400 ms, all channels together, a block every 100 ms."""
    block, hop = round(_BLOCK_S * rate), round(_HOP_S * rate)
    until = np.concatenate([[0.0], np.cumsum((sound**2).sum(1))])
    begins = np.arange(0, max(len(sound) - block, 0) + 1, hop)
    powers: Array = (until[np.minimum(begins + block, len(sound))] - until[begins]) / block
    return powers
