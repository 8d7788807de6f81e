"""Everything that prints, and nothing else does."""
