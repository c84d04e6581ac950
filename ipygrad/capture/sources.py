"""The text of a backward that a user wrote, with the values of its names when it ran."""

from __future__ import annotations

import inspect
import linecache
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.shapes import as_gradient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

    from ipygrad.engine.core import Array


class RunningSource(NamedTuple):
    """The text of a method, and the numbers that its names held when it returned.

    Attributes
    ----------
    first
        Number of the first line in its file or cell.
    lines
        The text, without the indentation that all lines share.
    values
        Name and value, in the order in which the method names them.
    """

    first: int
    lines: tuple[str, ...]
    values: tuple[tuple[str, Array], ...]


def running_source(code: CodeType, values: Mapping[str, Any]) -> RunningSource | None:
    """Return the text of a method that has run; None where it is not to be had.

    Parameters
    ----------
    code
        The method's.
    values
        Its local names at the end.
    """
    all_lines = linecache.getlines(code.co_filename)
    if len(all_lines) < code.co_firstlineno:
        return None
    block = inspect.getblock(all_lines[code.co_firstlineno - 1 :])
    lines = inspect.cleandoc("\n" + "".join(block)).split("\n")
    numbers = ((name, as_gradient(values.get(name))) for name in code.co_varnames)
    shown = tuple((name, value) for name, value in numbers if value is not None)
    return RunningSource(code.co_firstlineno, tuple(lines), shown)
