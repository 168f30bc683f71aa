"""Synthesised instruments, drums and effects."""
