"""What is heard in songs: beats, tempo, meter, chords, key; instruments and styles; how it sounds, in numbers; what is no music."""
