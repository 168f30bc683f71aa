"""What is heard in sound."""
