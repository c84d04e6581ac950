"""The magics ``%%grad`` and ``%grad``."""

from ipygrad.magic.grad import load, unload

__all__ = ["load", "unload"]
