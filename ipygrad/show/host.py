"""Where the code runs: in a notebook's kernel, or in a terminal or script."""

from __future__ import annotations

import sys


def has_kernel() -> bool:
    """Tell whether a notebook's kernel runs this code, rather than a terminal or a script."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
