"""Seed -> a piece with exact labels, rendered and captioned."""
