"""What is heard in sound, as labels, tags and numbers."""
