"""The card that goes with a model, in plain words, filled in from its manifest."""

from __future__ import annotations

from typing import Any

from livemuse.music.vocabulary import HEADS

NONCOMMERCIAL = "NC"
CREDITS = {
    "ASAP": "F. Foscarin, A. McLeod, P. Rigaux, F. Jacquemard, M. Sakai: ASAP, ISMIR 2020",
    "EMOPIA": "H.-T. Hung, J. Ching, S. Doh, N. Kim, J. Nam, Y.-H. Yang: EMOPIA, ISMIR 2021",
    "GiantMIDI-Piano": "Q. Kong, B. Li, J. Chen, Y. Wang: GiantMIDI-Piano, TISMIR 2022",
    "MAESTRO v3.0.0": "C. Hawthorne and others: Enabling Factorized Piano Music Modeling and Generation, ICLR 2019",
    "PiJAMA": "D. Edwards, S. Dixon, E. Benetos: PiJAMA, Piano Jazz with Automatic MIDI Annotations, TISMIR 2023",
    "POP909": "Z. Wang and others: POP909, ISMIR 2020",
    "SUPRA": "Z. Shi, C. Sapp, K. Arul, J. McBride, J. Smith: SUPRA, Stanford's piano rolls, ISMIR 2019",
}
"""Whom the sources ask to be named."""


def card(found: dict[str, Any]) -> str:
    """MODEL.md of a manifest."""
    name, training, held_out = found["name"], found["training"], found["held_out"]
    rows = "\n".join(
        f"| {row['source']} | {row['pieces']:,} | {row['notes']:,} | {row['licence']} |" for row in training["data"]
    )
    heads = "\n".join(
        f"| {head} | {held_out['heads'][head]:.3f} | {held_out['markov_heads'][head]:.3f} |" for head in HEADS
    )
    passes = training["notes_heard"] / training["notes"]
    varied = training["config"]
    closed = sorted(row["source"] for row in training["data"] if NONCOMMERCIAL in row["licence"])
    return f"""# {name}

A model that plays along on a piano: it hears notes one by one (pitch, time since the last onset, length, loudness)
and says what may come next. Family `{found["family"]}`: {found["layers"]} LSTM layers of {found["units"]} units, free
timing, no bar lines. It knows no style by name: it takes up what it hears.

## What it was trained on

{training["pieces"]:,} files, {training["notes"]:,} notes, about {passes:.1f} times over. Each time every piece was
transposed by up to {varied["transpose"]} semitones, played up to {100 * varied["stretch"]:.0f} % faster or slower,
and a little louder or softer. Notes last as long as the sustain pedal lets them sound.

| source | pieces | notes | terms as the source states them |
| --- | --- | --- | --- |
{rows}
{_credits(training["data"])}
## Terms

{_terms(closed)}
Whether a model's weights are a work derived from what it was trained on is not settled. This card says what was used,
so that you can decide. Some songs behind the files are in copyright even where the files are free: do not publish an
answer that repeats a melody you know.

## How good it is

Nats a note on {held_out["pieces"]} validation pieces ({held_out["notes"]:,} notes), none of whose compositions it was
trained on; less is better.

| head | {name} | order-5 Markov model |
| --- | --- | --- |
{heads}
| **together** | **{held_out["nats_per_note"]:.3f}** | {held_out["markov_nats_per_note"]:.3f} |

The Markov model has counted the same training notes in the same bins (`training/baselines/markov.py`). The first
command measures both again, from the ONNX files, with intervals; the second what it costs to carry the state on from
piece to piece for a whole evening; the third lets `livemuse answer` answer calls from the same pieces.

    python -m training evaluate models/{name} --data NOTES_DIR --split validation
    python -m training evaluate models/{name} --data NOTES_DIR --split validation --evening
    python -m training answers models/{name} --data NOTES_DIR

The graphs agree with the Keras graph to {found["parity"]["largest_difference"]:.0e} (relative where a number is more
than 1) over {found["parity"]["steps"]} notes; `tests/model/test_parity.py` compares them with `golden.npz` again.

## What it does not do

- It does not plan a form: there is no theme that comes back because it should, and no agreed number of bars.
- It has no beat of its own; a steady pulse is something it copies from you, not something it keeps.
- It has heard piano alone. Other instruments' phrases are heard as piano, and drums not at all.
- Loudness is partly guessed in its sources: piano rolls with simulated dynamics, transcriptions made by machine.
- Steps over 6 s and notes over 10 s are heard as 6 s and 10 s.
"""


def _credits(data: list[dict[str, Any]]) -> str:
    """Whom to name, for the sources that are known here."""
    known = [f"- {CREDITS[row['source']]}" for row in data if row["source"] in CREDITS]
    return "\nMade by:\n\n" + "\n".join(known) + "\n" if known else ""


def _terms(closed: list[str]) -> str:
    if not closed:
        return "None of the sources is stated to forbid commercial use; some may ask to be named."
    return f"""**For non-commercial use only: {", ".join(closed)}.**
Those whose terms end in SA ask for the same terms on whatever is derived from them. Use this model as you would use
them: to play, to study, to make music with, not as part of something that is sold. A model trained with
`python -m training prepare --sources` of your choice has the terms of those sources instead.
"""
