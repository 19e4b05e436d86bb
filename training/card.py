"""The card that goes with a model, in plain words, filled in from its manifest.

`sources_table`, `credits_of`, `terms` and `weights_words` are for the cards of every family.
"""

from __future__ import annotations

from typing import Any, Final

from livemuse.model.terms import FREE, is_noncommercial, use_of
from livemuse.music.vocabulary import HEADS

SHAREALIKE: Final = "-SA"
ASKS_TO_BE_NAMED: Final = ("CC BY", "MIT")  # how such terms begin
CREDITS: Final = {
    "ASAP": "F. Foscarin, A. McLeod, P. Rigaux, F. Jacquemard, M. Sakai: ASAP, ISMIR 2020",
    "EMOPIA": "H.-T. Hung, J. Ching, S. Doh, N. Kim, J. Nam, Y.-H. Yang: EMOPIA, ISMIR 2021",
    "GiantMIDI-Piano": "Q. Kong, B. Li, J. Chen, Y. Wang: GiantMIDI-Piano, TISMIR 2022",
    "JS Fake Chorales": "O. Peracha: JS Fake Chorales, 2021",
    "MAESTRO v3.0.0": "C. Hawthorne and others: Enabling Factorized Piano Music Modeling and Generation, ICLR 2019",
    "Mutopia": "the Mutopia Project and those who typeset its music",
    "OpenScore Lieder": "M. Gotham, P. Jonas: The OpenScore Lieder Corpus, MEC 2021",
    "PiJAMA": "D. Edwards, S. Dixon, E. Benetos: PiJAMA, Piano Jazz with Automatic MIDI Annotations, TISMIR 2023",
    "POP909": "Z. Wang and others: POP909, ISMIR 2020; copyright (c) 2020 Music X Lab",
    "SUPRA": "Z. Shi, C. Sapp, K. Arul, J. McBride, J. Smith: SUPRA, Stanford's piano rolls, ISMIR 2019",
}
"""Whom the sources ask to be named."""


def card(found: dict[str, Any]) -> str:
    """MODEL.md of a manifest of the family `performance`."""
    name, training = found["name"], found["training"]
    passes = training["notes_heard"] / training["notes"]
    varied = training["config"]
    return f"""# {name}

A model that plays along on a piano: it hears notes one by one (pitch, time since the last onset, length, loudness)
and says what may come next. Family `{found["family"]}`: {_layers(found)}, free timing, no bar lines.
{_styles(found.get("styles", []))}
{_parent(found)}## What it was trained on

{training["pieces"]:,} files, {training["notes"]:,} notes, about {passes:.1f} times over. Each time every piece was
transposed by up to {varied["transpose"]} semitones, played up to {100 * varied["stretch"]:.0f} % faster or slower,
and a little louder or softer. Notes last as long as the sustain pedal lets them sound.

{sources_table(training)}
{credits_of(training)}
## Terms

{terms(training)}
## How good it is

{_scores(found)}
## Its weights, and what a note takes

{weights_words(found["weights"], "note")}
{_step_time(found)}
## What it does not do

- It does not plan a form: there is no theme that comes back because it should, and no agreed number of bars.
- It has no beat of its own; a steady pulse is something it copies from you, not something it keeps.
- It has heard piano alone. Other instruments' phrases are heard as piano, and drums not at all.
- Loudness is partly guessed in its sources: scores say little of it, piano rolls simulate it, transcriptions guess it.
- Steps over 6 s and notes over 10 s are heard as 6 s and 10 s.
"""


def sources_table(training: dict[str, Any]) -> str:
    """What a model was trained on, from its manifest's `training`: a table, most notes first."""
    rows = [
        f"| {row['source']} | {row['pieces']:,} | {row['notes']:,} | {row['licence']} |" for row in training["data"]
    ]
    head = ["| source | pieces | notes | terms as the source states them |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def credits_of(training: dict[str, Any]) -> str:
    """Whom to name, for the sources that are known here, and those whom single files ask to be named."""
    sources = {row["source"]: "" for row in training["data"]}
    known = [f"- {source}: {CREDITS[source]}" for source in sources if source in CREDITS]
    files = [f"- of single files: {', '.join(training['attribution'])}"] if training.get("attribution") else []
    return "Made by:\n\n" + "\n".join([*known, *files]) + "\n" if known or files else ""


def terms(training: dict[str, Any]) -> str:
    """What may be done with a model, in plain words, from the terms of what it was trained on."""
    data = training["data"]
    closed = sorted({row["source"] for row in data if is_noncommercial(row["licence"])})
    unclear = sorted({row["source"] for row in data if use_of(row["licence"]) != FREE} - set(closed))
    shared = sorted({row["source"] for row in data if SHAREALIKE in row["licence"]} - set(closed))
    named = sorted({row["source"] for row in data if row["licence"].startswith(ASKS_TO_BE_NAMED)} - set(closed))
    if closed:
        words = f"""**For non-commercial use only: {", ".join(closed)}.**
Those whose terms end in SA ask for the same terms on whatever is derived from them. Use this model as you would use
them: to play, to study, to make music with, not as part of something that is sold. A model trained with
`python -m training prepare --sources` of your choice has the terms of those sources instead.
"""
    elif unclear:
        words = f"""Whether this model may be played at a paid concert is for you to find out: the terms of
{", ".join(unclear)}, as the table has them, do not say so in words that are known here.
What you made yourself is yours.
"""
    else:
        words = """None of the sources is stated to forbid commercial use: play it at a paid concert, record it, sell
the recording. The weights may be used, changed and passed on under the terms of the sources; livemuse adds none.
"""
    if named:
        words += f"Whoever passes the weights on names those whose terms ask for it: {', '.join(named)}, as above.\n"
    if shared:
        words += f"Whoever passes the weights on does so under the same terms as {', '.join(shared)}.\n"
    return f"""{words}
Whether a model's weights are a work derived from what it was trained on is not settled. This card says what was used,
so that you can decide. Some songs behind the files are in copyright even where the files are free: do not publish an
answer that repeats a melody you know.
"""


def weights_words(weights: dict[str, Any], unit: str) -> str:
    """What the weights are, from a manifest's `weights`; `unit` is what nats are counted by."""
    small, large = (weights[f"bytes_{kind}"] / 1e6 for kind in ("8bit", "float32"))
    scored = (
        f"{weights['nats_8bit']:.4f} nats per {unit} on {_compared(weights, unit)}\n"
        f"against {weights['nats_float32']:.4f} ({weights['change']:+.3%}; {weights['most_change']:+.1%} is allowed)"
    )
    if weights["bits"] == 8:
        first = f"The graphs have weights of 8 bits, {small:.1f} MB instead of {large:.1f}: {scored}."
    else:
        first = f"The graphs have weights of 32 bits, {large:.1f} MB; those of 8 bits had {scored}."
    parity, allowed = weights["parity_float32"], weights["tolerance_float32"]
    use = " for `python -m training finetune`" if unit == "note" else " for those who train on"
    return f"""{first}

Over {weights["steps"]} made-up steps, state carried, the float32 graphs agree with the Keras graph to {parity:.0e}
(relative where a number is more than 1; {allowed:.0e} is allowed), and those of 8 bits to {_short(weights)}.
`golden.npz` has what both said of a few notes, to be compared with again (`tests/model/test_parity.py`).
`weights.npz` has the weights once more, in 16 bits,{use}; playing never reads it.
"""


def _compared(weights: dict[str, Any], unit: str) -> str:
    """What both kinds of weights were scored on."""
    return f"{weights[f'{unit}s_compared']:,} {unit}s of held-out pieces"


def _short(weights: dict[str, Any]) -> str:
    """How far the 8-bit graphs are from Keras."""
    largest = weights["largest_difference_8bit"]
    return "nothing like it" if largest is None else f"{largest:.2g}"


def _layers(found: dict[str, Any]) -> str:
    looks_back = found["training"]["config"].get("shape", {}).get("attention", 0)
    over = f" and attention over the last {looks_back} notes" if looks_back else ""
    return f"{found['layers']} LSTM layers of {found['units']} units{over}"


def _styles(styles: list[str]) -> str:
    if not styles:
        return "It knows no style by name: it takes up what it hears."
    by_kind: dict[str, list[str]] = {}
    for style in styles:
        kind, _, value = style.partition(":")
        by_kind.setdefault(kind, []).append(value)
    rows = "\n".join(f"- {kind}: {', '.join(values)}" for kind, values in by_kind.items())
    return f"""It can be told what to sound like (control `style`), in any mix of these labels, each by its own
weight; told nothing, it takes up what it hears:

{rows}
"""


def _parent(found: dict[str, Any]) -> str:
    parent = found.get("parent")
    if not parent:
        return ""
    name, notes = parent["name"], found["training"]["notes"]
    before, after = parent["nats_before"], parent["nats_after"]
    return f"""
Made from `{name}` by `python -m training finetune` with {notes:,} notes of one player's own turns:
{before:.2f} -> {after:.2f} nats a note on {parent["turns"]} held-out turns. The terms of `{name}` hold.

"""


def _scores(found: dict[str, Any]) -> str:
    name, held_out = found["name"], found["held_out"]
    if found.get("parent"):
        return _scores_of_a_child(found)
    heads = "\n".join(
        f"| {head} | {held_out['heads'][head]:.3f} | {held_out['markov_heads'][head]:.3f} |" for head in HEADS
    )
    pieces, notes = held_out["pieces"], held_out["notes"]
    return f"""Nats a note on {pieces} validation pieces ({notes:,} notes), none of whose compositions it was trained
on; less is better. It was told no label.

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
"""


def _step_time(found: dict[str, Any]) -> str:
    timed = found.get("step_time")
    if not timed:
        return ""
    hot, cold, rest_ms = timed["hot"]["median_ms"], timed["cold"]["median_ms"], 1e3 * timed["rest_s"]
    return f"""
A whole note (step, heads, rules, draws) took {hot:.2f} ms in a row and {cold:.2f} ms after {rest_ms:.0f} ms of rest,
median, one thread, on the machine that exported it. On yours:

    python -m training step-time models/{found["name"]}
"""


def _scores_of_a_child(found: dict[str, Any]) -> str:
    """What fine-tuning was judged by: other turns of the same player, and the parent beside."""
    parent, held_out = found["parent"], found["held_out"]
    heads = "\n".join(f"| {head} | {held_out['heads'][head]:.3f} |" for head in HEADS)
    return f"""Nats a note on {held_out["pieces"]} turns of the same player ({held_out["notes"]:,} notes),
each from silence. It did not learn from them, but from others of the same evenings, perhaps of the same tunes. Less is
better.

| head | {found["name"]} |
| --- | --- |
{heads}
| **together** | **{held_out["nats_per_note"]:.3f}** |

Before, as `{parent["name"]}`, it had {parent["nats_before"]:.3f} nats a note on the same turns.
"""
