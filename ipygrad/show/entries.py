"""Numbers as data, and a careful way back into data that anybody may have written."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.engine.core import Array

T = TypeVar("T")
NUMBERS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
LONGEST_SHOWN = 40


def plain(value: np.ndarray | float | None) -> Any:
    """Return an Array as `ipygrad.show.document` describes it; None stays None."""
    if value is None:
        return None
    array = np.asarray(value, dtype=np.float64)
    numbers = array.tolist()
    return numbers if np.isfinite(array).all() else _with_words(numbers)


def _with_words(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_with_words(element) for element in numbers]
    return numbers if abs(numbers) < float("inf") else str(numbers)


@dataclass(frozen=True)
class Entry:
    """A value in a document, and where it stands there, for error messages.

    All methods raise ValueError with one sentence when the value is not what they return.
    """

    value: Any
    place: str = "the document"

    def fail(self, expected: str) -> ValueError:
        """Return an error that says what stands here and what should."""
        # Of what lies deep within each other repr itself would fail.
        shown = reprlib.repr(self.value)
        if len(shown) > LONGEST_SHOWN:
            shown = f"a {type(self.value).__name__}"
        return ValueError(
            f"from_dict cannot read this backward pass: {self.place} is {shown}, but should be "
            f"{expected}"
        )

    def field(self, name: str) -> Entry:
        """Return a field of a dict."""
        if not isinstance(self.value, dict):
            raise self.fail("a dict")
        place = name if self.place == "the document" else f"{self.place}.{name}"
        if name not in self.value:
            raise ValueError(f"from_dict cannot read this backward pass: {place} is missing")
        return Entry(self.value[name], place)

    def items(self, count: int | None = None, most: int | None = None) -> list[Entry]:
        """Return the entries of a list, which may have to be so many, or at most so many."""
        if not isinstance(self.value, list) or count not in (None, len(self.value)):
            raise self.fail("a list" if count is None else f"a list of {count}")
        if most is not None and len(self.value) > most:
            raise self.fail(f"a list of at most {most}")
        return [Entry(value, f"{self.place}[{i}]") for i, value in enumerate(self.value)]

    def or_none(self, read: Callable[[Entry], T]) -> T | None:
        """Return None for null, else what `read` returns."""
        return None if self.value is None else read(self)

    def text(self, longest: int | None = None) -> str:
        """Return a text, which may have to have at most so many letters."""
        if not isinstance(self.value, str):
            raise self.fail("a text")
        if longest is not None and len(self.value) > longest:
            raise self.fail(f"a text of at most {longest:,} letters")
        return self.value

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        for choice in choices:
            if type(choice) is type(self.value) and choice == self.value:
                return choice
        raise self.fail("one of " + ", ".join(repr(choice) for choice in choices))

    def whole(self, below: int | None = None, least: int = 0) -> int:
        """Return a whole number that is not too large and not too small."""
        value = self.value
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < least or (below is not None and value >= below):
            limits = f"from {least}" if below is None else f"from {least} to {below - 1}"
            raise self.fail(f"a whole number {limits}")
        return int(value)

    def number(self) -> float:
        """Return a number."""
        value = self.value
        if isinstance(value, str) and value in NUMBERS:
            return NUMBERS[value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                pass
        raise self.fail("a number")

    def array(self, shape: tuple[int, ...], dtype: Any = np.float64) -> Array:
        """Return an array of this shape."""
        numbers = [entry.number() for entry in self._elements(shape)]
        try:
            array = np.array(numbers, dtype=np.float64).reshape(shape)
        except (ValueError, OverflowError):
            raise self.fail(f"an array of shape {shape}") from None
        with np.errstate(over="ignore"):
            array = array.astype(dtype)
        array.flags.writeable = False
        return array

    def _elements(self, shape: tuple[int, ...]) -> list[Entry]:
        entries = [self]
        for length in shape:
            entries = [inner for entry in entries for inner in entry.items(length)]
        return entries

    def array_of_any_shape(self) -> Array:
        """Return an array of the shape that the lists have."""
        shape, inner = [], self.value
        while isinstance(inner, list):
            shape.append(len(inner))
            inner = inner[0] if inner else None
        return self.array(tuple(shape))
