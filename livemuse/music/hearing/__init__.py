"""What a musician hears in playing as it goes by: its key, its chords, its touch. Note by note, in microseconds."""
