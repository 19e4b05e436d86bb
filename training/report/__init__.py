"""One page on one or several models: figures, pictures, and what was not measured."""
