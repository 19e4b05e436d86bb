"""The console: what sounds, whose turn it is, and every control; a client of the control socket and nothing more."""
