"""Standard MIDI Files: ``read_song`` any bytes, ``notes_of`` the song, ``write_song`` tracks."""

from livemuse.midi.smf_notes import DRUM_CHANNEL, LONGEST_NOTE_S, note_rows, notes_of
from livemuse.midi.smf_read import (
    LONGEST_REST_S,
    MARKER,
    SEQUENCER_SPECIFIC,
    TEXT,
    Event,
    Song,
    printable,
    read_song,
)
from livemuse.midi.smf_write import TICKS_PER_BEAT, Track, meta, write_song

__all__ = [
    "DRUM_CHANNEL", "LONGEST_NOTE_S", "LONGEST_REST_S", "MARKER", "SEQUENCER_SPECIFIC", "TEXT", "TICKS_PER_BEAT",
    "Event", "Song", "Track", "meta", "note_rows", "notes_of", "printable", "read_song", "write_song",
]  # fmt: skip
