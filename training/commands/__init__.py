"""One file a command of `python -m training`: HELP in a line, `options` and `run`."""
