"""What is heard in a player's notes, as they come: key, chord, tempo and beat, and touch."""
