"""The text of a backward that a user wrote, with the values of its names when it ran."""

from __future__ import annotations

import inspect
import linecache
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.shapes import as_gradient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, FrameType

    from ipygrad.engine.core import Array

_PACKAGE = str(Path(__file__).parents[1])


class RunningSource(NamedTuple):
    """The text of a method, and the numbers that its names held when it returned.

    Attributes
    ----------
    lines
        The text, without the indentation that all lines share.
    values
        Name and value, in the order in which the method names them.
    """

    lines: tuple[str, ...]
    values: tuple[tuple[str, Array], ...]


Texts = dict[tuple[str, int], tuple[str, ...] | None]
"""The texts of methods by file and first line, each read once in a pass."""


def running_source(code: CodeType, values: Mapping[str, Any], texts: Texts) -> RunningSource | None:
    """Return the text of a method that has run; None where it is not to be had.

    Parameters
    ----------
    code
        The method's.
    values
        Its local names at the end.
    texts
        What was read in this pass; it is added to.
    """
    place = code.co_filename, code.co_firstlineno
    if place not in texts:
        texts[place] = _text(*place)
    lines = texts[place]
    if lines is None:
        return None
    numbers = ((name, as_gradient(values.get(name))) for name in code.co_varnames)
    shown = tuple((name, value) for name, value in numbers if value is not None)
    return RunningSource(lines, shown)


def _text(filename: str, first_line: int) -> tuple[str, ...] | None:
    block = block_at(filename, first_line)
    return None if block is None else tuple(inspect.cleandoc("\n" + block).split("\n"))


def block_at(filename: str, first_line: int) -> str | None:
    """Return the lines of a definition as they stand in a file or cell; None where it is gone."""
    all_lines = linecache.getlines(filename)
    if len(all_lines) < first_line:
        return None
    return "".join(inspect.getblock(all_lines[first_line - 1 :]))


class HeardBackwards:
    """The backward methods that users wrote and that have run lately."""

    def __init__(self) -> None:
        self._heard: dict[int, tuple[CodeType, dict[str, Any]]] = {}
        self._texts: Texts = {}

    def __call__(self, frame: FrameType, event: str, _returned: object) -> None:
        """Hear of a call or a return; for `sys.setprofile`."""
        code = frame.f_code
        if event != "return" or code.co_name != "backward" or not code.co_argcount:
            return
        if not code.co_filename.startswith(_PACKAGE):
            local = frame.f_locals
            self._heard[id(local.get(code.co_varnames[0]))] = (code, dict(local))

    def take(self, function: object) -> RunningSource | None:
        """Return, once, what ran of a function; None where nothing of it did."""
        heard = self._heard.pop(id(function), None)
        return None if heard is None else running_source(*heard, self._texts)


@contextmanager
def hearing_backwards() -> Iterator[HeardBackwards]:
    """Hear of the backward methods that run in the block, unless another profiler is at work."""
    heard = HeardBackwards()
    if sys.getprofile() is not None:
        yield heard
        return
    sys.setprofile(heard)
    try:
        yield heard
    finally:
        sys.setprofile(None)
