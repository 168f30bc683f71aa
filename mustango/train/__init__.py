"""Training: the loop and its tasks."""
