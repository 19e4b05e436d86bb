"""What is measured of music: histograms, rhythm, key, repetition, register, form and copying; pure functions."""
