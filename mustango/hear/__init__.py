"""What is heard in clips, beside what was asked."""
