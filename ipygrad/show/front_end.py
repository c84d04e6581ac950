"""The two files that draw a payload in a browser, the same in notebook, page and widget."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

_COMMENT = re.compile(r"\s*/\*.*?\*/|\n\s*//[^\n]*", re.DOTALL)
"""A comment that is not at the end of a line of code."""


@lru_cache
def front_end() -> tuple[str, str]:
    """Return the text of the stepper's module and of its style sheet.

    Their comments are left out: every saved cell carries both files, and a browser has no use for
    them.
    """
    static = resources.files("ipygrad.show") / "static"
    module, style = (
        _COMMENT.sub("", (static / name).read_text("utf-8")).lstrip()
        for name in ("stepper.js", "stepper.css")
    )
    return module, style
