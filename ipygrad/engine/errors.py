"""The engine's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipygrad.engine.core import Function


class BackwardError(RuntimeError):
    """A function's backward did not give what the chain rule needs; the message says which and how.

    Attributes
    ----------
    function
        The function whose turn it was.
    """

    def __init__(self, message: str, function: Function) -> None:
        super().__init__(message)
        self.function = function


class NotCalledError(AttributeError):
    """A function was asked for what only a call on Variables gives it."""


def count(number: int, noun: str) -> str:
    """Return a number of things in words for a message: ``1 input``, ``2 inputs``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
