"""How well livemuse hears: its modules of `livemuse.music.hearing` beside what is known of the pieces."""
