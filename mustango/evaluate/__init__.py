"""Test sets, evaluations, reports."""
