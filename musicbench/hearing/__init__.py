"""What is heard in songs: beats, tempo, meter, chords, key, and what is no music."""
