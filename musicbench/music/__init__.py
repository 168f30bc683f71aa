"""What music is, without sound: chords, keys, meters, charts."""
