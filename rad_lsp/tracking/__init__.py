"""A session followed from start to finish."""
