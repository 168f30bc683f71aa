"""What somebody asks for, read, checked and settled without loading a model."""
