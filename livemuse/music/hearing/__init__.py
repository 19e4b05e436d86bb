"""Hearing: what a musician would say of the notes so far. Pure, note by note, microseconds a note."""
