"""Text -> what it states of tempo, key, chords, instruments and style."""
