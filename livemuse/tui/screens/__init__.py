"""What fills the terminal: the playing screen, and what opens over it."""
