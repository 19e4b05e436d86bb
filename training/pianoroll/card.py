"""The card that goes with a piano-roll model, in plain words, filled in from its manifest."""

from __future__ import annotations

import textwrap
from typing import Any

from training.card import credits_of, sources_table, terms, weights_words

MADE_BY_MACHINE = "JS Fake Chorales"


def card(found: dict[str, Any]) -> str:
    """MODEL.md of a manifest."""
    name, training, held_out = found["name"], found["training"], found["held_out"]
    plain = held_out["plain_nats_per_frame"]
    layers = f"{found['layers']} LSTM layer{'s' if found['layers'] > 1 else ''}"
    what = f"""A model that answers in chords that keep to the beat. It hears which of the 88 keys are struck and which
        are held in each sixteenth, and where in a bar of four beats that sixteenth lies, and draws the keys of the
        next one together, each given those already drawn. Family `pianoroll`: {layers} of {found["units"]} units. It
        knows no style by name, and it says nothing of loudness: its notes are as loud as yours."""
    scored = f"""Nats a sixteenth (all 88 keys together) on {held_out["pieces"]} validation pieces
        ({held_out["frames"]:,} sixteenths), none of which it was trained on; less is better."""
    return f"""# {name}

{_filled(what)}

## What it was trained on

{_filled(_heard(training))}

{sources_table(training)}
{credits_of(training)}
{_machine(training)}## Terms

{terms(training)}
## How good it is

{_filled(scored)}

| model | nats a sixteenth |
| --- | --- |
| **{name}** | **{held_out["nats_per_frame"]:.3f}** |
| each key by what it did before and the place in the bar | {plain["markov_in_bar"]:.3f} |
| each key by what it did before | {plain["markov"]:.3f} |
| the last sixteenth again, one chance of change for all keys | {plain["repeat"]:.3f} |

{weights_words(found["weights"], "sixteenth")}
## What it does not do

- It needs a tempo: what you play is laid on a grid of sixteenths that begins with your first note, at 120 beats a
  minute where no tempo is told. Triplets and rubato are heard as the nearest sixteenths.
- It counts bars of four beats and knows no other.
- It plans no form: a cadence comes where it is likely, not where a verse ends.
- It has heard four-part music alone; a pop song's chords are strange to it.
"""


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def _heard(training: dict[str, Any]) -> str:
    config, passes = training["config"], training["notes_heard"] / max(training["notes"], 1)
    alone = f"""{100 * config["alone_share"]:.0f} % of the passages began with their highest voice alone, so that it
        answers one voice with all of them."""
    return f"""{training["pieces"]:,} pieces, {training["notes"]:,} notes on {training["frames"]:,} sixteenths,
        {passes:.0f} times over. Each time every piece was transposed by up to {config["transpose"]} semitones.
        {alone if config["alone_share"] else ""}"""


def _machine(training: dict[str, Any]) -> str:
    if not any(row["source"] == MADE_BY_MACHINE for row in training["data"]):
        return ""
    words = """JS Fake Chorales are themselves made by an algorithm, in the style of Bach's chorales; no chorale of his
        is among them."""
    return _filled(words) + "\n\n"
