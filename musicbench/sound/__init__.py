"""Sound files, clips with labels, what is heard in them, how they are changed."""
