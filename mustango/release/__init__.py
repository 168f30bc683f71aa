"""Model folders: the released ones and ours."""
