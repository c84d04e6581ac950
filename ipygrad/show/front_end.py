"""The two files that draw a payload in a browser, the same in notebook, page and widget."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache
def front_end() -> tuple[str, str]:
    """Return the text of the stepper's module and of its style sheet."""
    static = resources.files("ipygrad.show") / "static"
    return (static / "stepper.js").read_text("utf-8"), (static / "stepper.css").read_text("utf-8")
