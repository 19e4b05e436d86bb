"""The parts of the playing screen, one a file."""
