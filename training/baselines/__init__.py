"""What came before: each ancestor design, built anew and trained on the same notes, to be judged as ours are."""
