"""MIDI files, folders, archives and public collections to the notes a network learns from."""
