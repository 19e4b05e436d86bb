"""The card of a melody model, in plain words, filled in from its manifest."""

from __future__ import annotations

from typing import Any

from training.card import credits_of, sources_table, terms, weights_words


def card(found: dict[str, Any]) -> str:
    """MODEL.md of a manifest of the family `melody`."""
    name, training = found["name"], found["training"]
    varied, shape = training["config"], training["config"]["shape"]
    passes = training["events_heard"] / training["events"]
    lags = " and ".join(str(lag) for lag in shape["lookback"])
    again = f", and reads again what stood {lags} sixteenths before" if lags else ""
    counts = f"{training['pieces']:,} voices, {training['notes']:,} notes, {training['events']:,} sixteenths"
    layers = f"{found['layers']} LSTM layer{'s' if found['layers'] > 1 else ''} of {found['units']} units"
    return f"""# {name}

A lead voice: a model that plays one note at a time, in sixteenths of a steady beat. It hears the highest note of what
you play, and says for each sixteenth whether a note begins (and which), the last one goes on, or there is a rest.
Family `{found["family"]}`: {layers}. It is told the place in the bar{again}.

    livemuse answer CALL.mid -o ANSWER.mid --model {name}

It plays at 120 beats a minute, in which a sixteenth lasts an eighth of a second, and hears you at that tempo too. Bars
of four beats are counted from the first note it hears.

## What it was trained on

Melodies alone: {counts}, about {passes:.1f} times over.
Each time they were cut at other notes, and each part was transposed by up to {varied["transpose"]} semitones, as far as
it stayed between {varied["lowest"]} and {varied["highest"]}, as MIDI counts pitches.
Rests of more than two bars were shortened.

{sources_table(training)}
{credits_of(training)}
## Terms

{terms(training)}
## How good it is

{_scores(found)}
## Its weights

{weights_words(found["weights"], "event")}
## What it does not do

- It plays one voice: no chords, and of yours it hears the highest note alone.
- It keeps to sixteenths: triplets, grace notes and rubato are heard as the nearest sixteenth, and it plays none.
- It does not know where your bars begin: if you start with an upbeat, it counts that as the first beat of a bar.
- It counts four beats to a bar: of a waltz it learned and hears the tune, but not the bars.
- It does not plan a form, and it knows no words, no chords and no loudness: it plays as loud as you do.
"""


def _scores(found: dict[str, Any]) -> str:
    held_out = found["held_out"]
    low, high = held_out["interval_95"]
    shipped = f"**{found['name']}**, as shipped ({found['weights']['bits']}-bit weights)"
    ours = f"| {shipped} | **{held_out['nats_per_event']:.3f}** (95 % interval by voice {low:.3f} to {high:.3f}) |"
    baselines = "\n".join(f"| {LABELS.get(name, name)} | {nats:.3f} |" for name, nats in held_out["baselines"].items())
    sources = "\n".join(f"| {source} | {nats:.3f} |" for source, nats in held_out["by_source"].items())
    begins, others = held_out["nats_where_a_note_begins"], held_out["nats_where_none_begins"]
    events, notes = f"{held_out['events']:,}", f"{held_out['notes']:,}"
    counts = f"{held_out['pieces']} validation voices with {events} events, {notes} of them notes"
    return f"""Nats an event (a sixteenth: note, hold or rest, all of them counted) on {counts}.
It was trained on none of these compositions; each is heard whole from its first note. Less is better.

| | nats an event |
| --- | --- |
{ours}
{baselines}

Many events are easy, since notes go on: it is {begins:.2f} nats where a note begins and {others:.2f} elsewhere.
For each note that begins, all the sixteenths up to the next together cost {held_out["nats_per_begun_note"]:.2f} nats.

| source | nats an event |
| --- | --- |
{sources}

The Markov models have counted the training voices in eleven keys (`training/melody/baselines.py`). All of this is
measured by the command that wrote this page:

    python -m training melody train --data MIDI_DIR --run RUN_DIR
    python -m training melody export --run RUN_DIR --out models/{found["name"]}
"""


LABELS = {
    "frequency": "each event by how often it is",
    "repeat": "the bar before comes again, or any event",
    "markov_events": "Markov model of the last five sixteenths, with back-off",
    "markov_notes": "Markov model of the last five notes, their lengths and the place in the bar, with back-off",
}
