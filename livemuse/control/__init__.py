"""How consoles, knobs and scripts reach the engine: JSON lines over a socket that only its owner can open."""
