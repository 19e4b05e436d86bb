"""Recording: an append-only journal while it is played, a MIDI file when it is over."""
