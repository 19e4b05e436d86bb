"""The card that goes with a model, in plain words, filled in from its manifest."""

from __future__ import annotations

from typing import Any

from livemuse.music.vocabulary import HEADS

NONCOMMERCIAL = "NC"


def card(found: dict[str, Any]) -> str:
    """MODEL.md of a manifest."""
    name, training, held_out = found["name"], found["training"], found["held_out"]
    rows = "\n".join(
        f"| {row['source']} | {row['pieces']:,} | {row['notes']:,} | {row['licence']} |" for row in training["data"]
    )
    heads = "\n".join(f"| {head} | {held_out['heads'][head]:.3f} |" for head in HEADS)
    passes = training["notes_heard"] / training["notes"]
    closed = sorted(row["source"] for row in training["data"] if NONCOMMERCIAL in row["licence"])
    return f"""# {name}

A model that plays along on a piano: it hears notes one by one (pitch, time since the last onset, length, loudness)
and says what may come next. Family `{found["family"]}`, {found["layers"]} LSTM layers of {found["units"]} units,
free timing, no bar lines. It knows no genre by name: it takes up what it hears.

## What it was trained on

{training["pieces"]:,} recorded and transcribed piano performances, {training["notes"]:,} notes, about {passes:.1f}
times over, each time transposed by up to {training["config"]["transpose"]} semitones, up to
{100 * training["config"]["stretch"]:.0f} % faster or slower, and a little louder or softer.
Notes last as long as the sustain pedal lets them sound.

| source | pieces | notes | terms as the source states them |
| --- | --- | --- | --- |
{rows}

## Terms

{_terms(closed)}
Whether a model's weights are a work derived from what it was trained on is not settled. This card says what was used,
so that you can decide. Some songs behind the files are in copyright even where the files are free: do not publish an
answer that repeats a melody you know.

## How good it is

Nats a note on {held_out["pieces"]} validation pieces ({held_out["notes"]:,} notes), none of whose compositions it was
trained on; less is better.

| head | nats a note |
| --- | --- |
{heads}
| **together** | **{held_out["nats_per_note"]:.3f}** |

The command that measures it again from the ONNX files, beside an order-5 Markov model on the same notes:

    python -m training evaluate models/{name} --data NOTES_DIR --split validation

The graphs agree with the Keras graph to {found["parity"]["largest_difference"]:.0e} (relative where a number is more
than 1) over {found["parity"]["steps"]} notes; `tests/model/test_parity.py` compares them with `golden.npz` again.

## What it does not do

- It does not plan a form: there is no theme that comes back because it should, and no agreed number of bars.
- It has no beat of its own; a steady pulse is something it copies from you, not something it keeps.
- It has heard piano alone. Other instruments' phrases are heard as piano, and drums not at all.
- Loudness is partly guessed in its sources: piano rolls with simulated dynamics, transcriptions made by machine.
- Steps over 6 s and notes over 10 s are heard as 6 s and 10 s.
"""


def _terms(closed: list[str]) -> str:
    if not closed:
        return "None of the sources forbids commercial use; some ask for attribution."
    listed = ", ".join(closed)
    return f"""**{listed} are for non-commercial use only** (see the table; the ShareAlike ones ask for the same terms
on what is derived from them). Use this model as you would use them: to play, to study, to make music with, not as
part of something that is sold. A model trained with `--sources` of your choice has the terms of those sources."""
