"""Measurements of what docs/performance.md promises: figures to standard output, progress to the other."""
