"""livemuse: play a keyboard, and it answers."""

__version__ = "0.1.0"
