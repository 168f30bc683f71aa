"""The commands of `mustango`, a file each."""
