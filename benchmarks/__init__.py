"""How long commands take beside named alternatives, measured in the same run: `python -m benchmarks`."""
