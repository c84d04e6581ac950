"""Automatic differentiation: variables, functions, and the pass back from a result."""

from ipygrad.engine import functions, reverse

__all__ = ["functions", "reverse"]
