"""Further kinds of formulas: calls, roots, indicators, derivatives, equations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.explain.formula import Formula, Symbol
from ipygrad.explain.typeset import Level, MathML

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ipygrad.engine.core import Array
    from ipygrad.explain.formula import Part, Parts

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": np.greater,
    "<": np.less,
    "≥": np.greater_equal,
    "≤": np.less_equal,
    "=": np.equal,
}


@dataclass(frozen=True)
class Call(Formula):
    """A function of formulas: exp(x), sum(gy·y, axis=1).

    Attributes
    ----------
    name
        How the function is written.
    function
        What it computes from its arguments' values.
    arguments
        The formulas.
    options
        Further arguments, as text; `function` knows them already.
    """

    name: str
    function: Callable[..., Any] = field(compare=False)
    arguments: tuple[Formula, ...]
    options: str = ""

    @property
    def parts(self) -> Parts:
        """f(a, b)."""
        arguments = [*self.arguments, *([Option(self.options)] if self.options else [])]
        written: list[Part] = [self.name, "("]
        for number, argument in enumerate(arguments):
            written += [*([", "] if number else []), (argument, Level.EQUATION)]
        return (*written, ")")

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Call it."""
        return self.function(*(argument.evaluate(values) for argument in self.arguments))


class Option(Symbol):
    """An argument of a call as it is written in Python, "axis=0"."""

    @property
    def text(self) -> str:
        """As it is written."""
        return self.name

    @property
    def mathml(self) -> MathML:
        """As text."""
        return ["mtext", self.name]


@dataclass(frozen=True)
class Root(Formula):
    """A square root."""

    radicand: Formula
    LEVEL = Level.POWER

    @property
    def parts(self) -> Parts:
        """√x."""
        return "√", (self.radicand, Level.ATOM)

    @property
    def mathml(self) -> MathML:
        """Under a bar, which needs no parentheses."""
        return ["msqrt", self.radicand.mathml]

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Draw it."""
        return np.sqrt(self.radicand.evaluate(values))


@dataclass(frozen=True)
class Indicator(Formula):
    """1 where a comparison holds and 0 elsewhere: [x > 0] (Iverson's bracket).

    Attributes
    ----------
    terms, relations
        What is compared, and the relations between them, one fewer.
    """

    terms: tuple[Formula, ...]
    relations: tuple[str, ...]

    @property
    def parts(self) -> Parts:
        """[low ≤ x ≤ high]."""
        written: list[Part] = ["[", (self.terms[0], Level.SUM)]
        for relation, term in zip(self.relations, self.terms[1:], strict=True):
            written += [f" {relation} ", (term, Level.SUM)]
        return (*written, "]")

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Compare."""
        terms = [np.asarray(term.evaluate(values)) for term in self.terms]
        holds = [
            _COMPARE[relation](a, b)
            for relation, a, b in zip(self.relations, terms, terms[1:], strict=False)
        ]
        return 1.0 * np.logical_and.reduce(np.broadcast_arrays(*holds))


@dataclass(frozen=True)
class Inverse(Formula):
    """The inverse of a matrix, or of each matrix of a stack."""

    matrix: Formula
    LEVEL = Level.POWER

    @property
    def parts(self) -> Parts:
        """x⁻¹."""
        return (self.matrix, Level.ATOM), "⁻¹"

    @property
    def mathml(self) -> MathML:
        """As a power."""
        return (self.matrix**-1).mathml

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Invert."""
        return np.linalg.inv(self.matrix.evaluate(values))


@dataclass(frozen=True)
class Item(Formula):
    """What an index picks: gy[0:2].

    Attributes
    ----------
    array
        From what.
    index
        As numpy takes it.
    index_text
        As it is written.
    """

    array: Formula
    index: Any = field(compare=False)
    index_text: str

    @property
    def parts(self) -> Parts:
        """gy[0:2]."""
        return (self.array, Level.ATOM), "[", (Option(self.index_text), Level.EQUATION), "]"

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Pick."""
        return np.asarray(self.array.evaluate(values))[self.index]


@dataclass(frozen=True)
class Reshaped(Formula):
    """A formula in another shape, written as if it had it: what books leave to the reader."""

    formula: Formula
    shape: tuple[int, ...]

    @property
    def level(self) -> Level:
        """As without."""
        return self.formula.level

    @property
    def math_level(self) -> Level:
        """As without."""
        return self.formula.math_level

    @property
    def text(self) -> str:
        """As without."""
        return self.formula.text

    @property
    def mathml(self) -> MathML:
        """As without."""
        return self.formula.mathml

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Reshape."""
        return np.reshape(self.formula.evaluate(values), self.shape)


@dataclass(frozen=True)
class Derivative(Formula):
    """A partial derivative, ∂y/∂x; `evaluate` looks it up under its text."""

    of: Formula
    by: Formula
    LEVEL = Level.POWER

    @property
    def parts(self) -> Parts:
        """∂y/∂x."""
        return "∂", (self.of, Level.ATOM), "/∂", (self.by, Level.ATOM)

    @property
    def mathml(self) -> MathML:
        """With a bar."""
        ends = (["mrow", ["mo", "∂"], end.mathml] for end in (self.of, self.by))
        return ["mfrac", *ends]

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Look it up."""
        return values[self.text]


@dataclass(frozen=True)
class Equation(Formula):
    """Formulas that are all equal, or not: a = b ≠ c.

    Attributes
    ----------
    sides, relations
        The formulas, and the relations between them, one fewer.
    """

    sides: tuple[Formula, ...]
    relations: tuple[str, ...]
    LEVEL = Level.EQUATION

    @property
    def parts(self) -> Parts:
        """Side by side: a = b = c."""
        written: list[Part] = [(self.sides[0], Level.SUM)]
        for relation, side in zip(self.relations, self.sides[1:], strict=True):
            written += [f" {relation} ", (side, Level.SUM)]
        return tuple(written)

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Compute the last side."""
        return self.sides[-1].evaluate(values)


def equal(*sides: Formula) -> Equation:
    """Return a = b = c."""
    return Equation(sides, ("=",) * (len(sides) - 1))
