"""Answers without ports: a call from a file, the same duet and improviser as on stage, in virtual time."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from livemuse.engine.virtual import Evening
from livemuse.errors import FileError
from livemuse.midi.messages import note_off, note_on, program_change
from livemuse.midi.smf import Song, Track, notes_of, write_song
from livemuse.model.grid_stepper import GridStepper
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note, Pedal, PlannedNote
from livemuse.music.protocols import Journal, Stepper
from livemuse.music.voicing import programs_of
from livemuse.recording.midifile import read_midi_file, write_whole

LONGEST_CALL: Final = 2048  # notes; of a longer call the last so many are heard, as a rolling window would
_DRUMS: Final = 9
_UNWRITTEN_BPM: Final = 120.0  # the tempo of a file that states none, and of most recordings: it says nothing
_TEMPO_BPM: Final = (20.0, 300.0)


def answer_file(call: Path, out: Path, stepper: Stepper, controls: Controls) -> dict[str, Any]:
    """Answer the call in a MIDI file with a MIDI file, whose time 0 is the moment livemuse decided to answer.

    Gives {"call", "notes_heard", "answer", "notes_answered", "seconds"}. FileError for a call without notes.
    """
    song = read_midi_file(call)
    heard = notes_of(song, pedal=False)[-LONGEST_CALL:]
    if not heard:
        raise FileError(f"{call} holds no notes to answer.", "Give a MIDI file in which something is played.")
    notes = answer_notes(song, heard, stepper, controls)
    write_whole(out, song_of(notes, programs_of(controls)))
    return {
        "call": os.fspath(call),
        "notes_heard": len(heard),
        "answer": os.fspath(out),
        "notes_answered": len(notes),
        "seconds": round(max((n.end_s for n in notes), default=0.0), 3),
    }


def answer_notes(
    song: Song, heard: list[Note], stepper: Stepper, controls: Controls, journal: Journal | None = None
) -> list[PlannedNote]:
    """livemuse's notes after the whole of ``heard`` (keys) with the pedal of ``song``; onsets count from its decision.

    However long a rest the call holds, it is one call: livemuse is told to keep silent until its end. The tempo is the
    file's, where it states one and the control says ``auto``.
    """
    bpm = song.tempos[-1][1] if song.ticks_per_beat else _UNWRITTEN_BPM
    if controls["tempo"] == "auto" and bpm != _UNWRITTEN_BPM and _TEMPO_BPM[0] <= bpm <= _TEMPO_BPM[1]:
        controls = controls.replaced("tempo", bpm)
    evening = Evening(Duet(controls.replaced("mode", "answer")), Improviser(stepper), journal)
    evening.do(float("-inf"), "tacet")
    for at_s, _, message in song.events:
        if message[0] & 0xF0 == 0xB0 and message[0] & 0x0F != _DRUMS and message[1] == 64:
            evening.hear(Pedal(at_s, 0, message[2] >= 64))
    evening.play_notes(heard)
    over_s = max(note.end_s for note in heard)
    evening.do(over_s, "tacet")
    played = evening.run(float("inf"))
    decided_s = evening.decided_s
    return [replace(n, onset_s=n.onset_s - decided_s) for n in played if n.duration_s > 0.0]


def answers_in_turn(
    calls: Sequence[Sequence[Note]], stepper: Stepper, controls: Controls, pause_s: float = 1.0
) -> list[list[PlannedNote]]:
    """livemuse's answers to several calls of one evening, each played so long after the answer before it.

    The onsets of an answer count from its decision; however long a rest a call holds, it is one call.
    """
    evening = Evening(Duet(controls.replaced("mode", "answer")), Improviser(stepper))
    answers: list[list[PlannedNote]] = []
    begins_s, known = 0.0, 0
    for call in calls:
        notes = [replace(n, onset_s=n.onset_s - call[0].onset_s + begins_s) for n in call]
        over_s = max(n.end_s for n in notes)
        evening.do(begins_s - pause_s / 2, "tacet")
        evening.play_notes(notes)
        evening.do(over_s, "tacet")
        made = evening.run(float("inf"))[known:]
        known += len(made)
        answers.append([replace(n, onset_s=n.onset_s - evening.decided_s) for n in made])
        begins_s = max([over_s, *(n.end_s for n in made)]) + pause_s
    return answers


def play_beside(notes: Sequence[Note], stepper: Stepper | GridStepper, controls: Controls) -> list[PlannedNote]:
    """livemuse's notes at the same time as these, in mode `duet`, until the last of them is over."""
    evening = Evening(Duet(controls.replaced("mode", "duet")), Improviser(stepper))
    evening.play_notes(notes)
    return [n for n in evening.run(max(note.end_s for note in notes)) if n.duration_s > 0.0]


def song_of(notes: list[PlannedNote], programs: Mapping[int, int] | None = None) -> bytes:
    """A Standard MIDI File with one track, ``livemuse``; ``programs`` are its sounds (0-127) by channel (0-15)."""
    ends = [(n.end_s, note_off(n.channel, n.pitch, 64)) for n in notes]
    strikes = [(n.onset_s, note_on(n.channel, n.pitch, n.velocity)) for n in notes]
    sounds = [(0.0, program_change(*row)) for row in (programs or {}).items()]
    # At one moment an end comes before a strike, or the same pitch would be cut as it starts.
    return write_song([Track("livemuse", sounds + sorted([*ends, *strikes], key=lambda e: (e[0], e[1][0])))])
