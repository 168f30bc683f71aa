"""Score formats."""
