"""Where a cell's text changes what a variable holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def lines_that_change(source: str, name: str) -> tuple[int, ...]:
    """Return the lines that assign to ``name.data`` or to a part of it, in order.

    They are found in the text, so a change that is made by other means (``out=x.data``, another
    name for the same array) has none.

    Parameters
    ----------
    source
        Python text.
    name
        Of the variable, as the text writes it: ``x`` or ``d['x']``.
    """
    wanted = f"{name}.data"
    return tuple(
        sorted({target.lineno for target in _targets(source) if _assigned(target) == wanted})
    )


def _targets(source: str) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            yield node.target


def _assigned(target: ast.expr) -> str:
    """Return the text of what a target belongs to: of ``x.data[0][1]`` it is ``x.data``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)
