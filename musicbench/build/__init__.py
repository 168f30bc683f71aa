"""Songs -> captioned, augmented rows."""
