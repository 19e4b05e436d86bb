"""A blind listening test: the sheets that people answer, and what their answers say."""
