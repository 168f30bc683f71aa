"""The web page without its widgets."""
