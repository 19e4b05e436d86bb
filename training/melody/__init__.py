"""One voice on the grid of sixteenths: reading it from MIDI files, teaching it to a network, and exporting that."""
