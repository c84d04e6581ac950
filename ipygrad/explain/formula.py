"""Formulas as trees: built with Python's operators, shown as text, MathML and mathtext, evaluated.

A table of derivatives in them reads like one in a book: ``1 / (2 * sqrt(x))``, ``gy @ W.T``. They
are not simplified, except that a minus sign moves to the front of a product or fraction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ipygrad.explain.typeset import (
    Level,
    MathML,
    is_power_of_ten,
    level_of,
    mathtext_of,
    row,
    typeset,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.engine.core import Array

    Part = str | tuple["Formula", Level]
    Parts = tuple[Part, ...]

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Formula:
    """Base of all formulas: immutable, compared by what they consist of.

    A kind of formula says by `parts` how it is written in a line, and by `evaluate` what it is;
    where it is typeset in another way than in a line it has a `mathml` of its own.
    """

    LEVEL: ClassVar[Level] = Level.ATOM

    @property
    def level(self) -> Level:
        """How tightly it holds together as plain text."""
        return self.LEVEL

    @property
    def math_level(self) -> Level:
        """How tightly it holds together typeset, where a bar or a root can do for parentheses."""
        return self.level

    @property
    def parts(self) -> Parts:
        """What it is written with: operators, and operands with the least level that they need."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Plain text in one line, with no more parentheses than it needs: 1/(2·√x)."""
        return "".join(part if isinstance(part, str) else _enclosed(*part) for part in self.parts)

    @property
    def mathml(self) -> MathML:
        """A JSON-safe tree of MathML: a text, or [tag, child, ...]."""
        return row([_operator(p) if isinstance(p, str) else enclosed(*p) for p in self.parts])

    @property
    def mathtext(self) -> str:
        """Mathematics as matplotlib writes it, with its dollar signs."""
        return f"${mathtext_of(self.mathml)}$"

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Compute it with numpy.

        Parameters
        ----------
        values
            What its names stand for.

        Raises
        ------
        KeyError
            For a name without a value.
        """
        raise NotImplementedError

    def __add__(self, other: Formula | float) -> Formula:
        return Sum((self, as_formula(other)))

    def __radd__(self, other: float) -> Formula:
        return as_formula(other) + self

    def __sub__(self, other: Formula | float) -> Formula:
        return Sum((self, -as_formula(other)))

    def __rsub__(self, other: float) -> Formula:
        return as_formula(other) - self

    def __neg__(self) -> Formula:
        return Negative(self)

    def __mul__(self, other: Formula | float) -> Formula:
        return Product((self, as_formula(other)))

    def __rmul__(self, other: float) -> Formula:
        return as_formula(other) * self

    def __matmul__(self, other: Formula) -> Formula:
        return Product((self, other), " @ ")

    def __truediv__(self, other: Formula | float) -> Formula:
        return Quotient(self, as_formula(other))

    def __rtruediv__(self, other: float) -> Formula:
        return as_formula(other) / self

    def __pow__(self, exponent: Formula | float) -> Formula:
        return Power(self, as_formula(exponent))

    @property
    def T(self) -> Formula:  # noqa: N802 - as numpy calls it
        """The transpose."""
        return Transpose(self)


def _enclosed(formula: Formula, least: Level) -> str:
    return formula.text if formula.level >= least else f"({formula.text})"


def enclosed(formula: Formula, least: Level) -> MathML:
    """Return a formula's MathML, in parentheses if it holds together less than `least`."""
    if formula.math_level >= least:
        return formula.mathml
    return ["mrow", ["mo", "("], formula.mathml, ["mo", ")"]]


def _operator(text: str) -> MathML:
    return ["mi" if text.isidentifier() else "mo", text.strip()]


@dataclass(frozen=True)
class Symbol(Formula):
    """A name of the user's, or any expression of theirs, or a value.

    Attributes
    ----------
    name
        How it is written.
    value
        What it stands for; None for a name, to which `evaluate` gives the value.
    """

    name: str
    value: Any = field(default=None, compare=False)

    @property
    def level(self) -> Level:
        """By what is written there."""
        return level_of(self.name)

    @property
    def math_level(self) -> Level:
        """A power of ten is typeset as a product."""
        return min(self.level, Level.PRODUCT) if is_power_of_ten(self.name) else self.level

    @property
    def text(self) -> str:
        """As it is written, with a true minus sign before a number."""
        return "−" + self.name[1:] if self.level is Level.NEGATIVE else self.name

    @property
    def mathml(self) -> MathML:
        """A number, an identifier, or text."""
        return typeset(self.name)

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Look it up."""
        return values[self.name] if self.value is None else self.value

    def __neg__(self) -> Formula:
        if self.level is Level.NEGATIVE:
            return Symbol(self.name[1:], None if self.value is None else -self.value)
        return Negative(self)


def as_formula(value: Formula | float) -> Formula:
    """Return a formula as it is, and a number as one, written with six digits."""
    return value if isinstance(value, Formula) else Symbol(f"{value:.6g}", value)


@dataclass(frozen=True)
class Sum(Formula):
    """Terms added up; of a negative one the opposite is subtracted."""

    terms: tuple[Formula, ...]
    LEVEL = Level.SUM

    def __post_init__(self) -> None:
        flat = [t for term in self.terms for t in (term.terms if type(term) is Sum else (term,))]
        object.__setattr__(self, "terms", tuple(flat))

    @property
    def parts(self) -> Parts:
        """A + b − c."""
        written: list[Part] = [(self.terms[0], Level.NEGATIVE)]
        for term in self.terms[1:]:
            is_negative = term.level is Level.NEGATIVE and isinstance(term, (Negative, Symbol))
            written += (
                [" − ", (-term, Level.QUOTIENT)] if is_negative else [" + ", (term, Level.QUOTIENT)]
            )
        return tuple(written)

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Add them up."""
        total = self.terms[0].evaluate(values)
        for term in self.terms[1:]:
            total = total + term.evaluate(values)
        return total


@dataclass(frozen=True)
class Negative(Formula):
    """The opposite."""

    operand: Formula
    LEVEL = Level.NEGATIVE

    @property
    def parts(self) -> Parts:
        """−a."""
        return "−", (self.operand, Level.QUOTIENT)

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Change the sign."""
        return -self.operand.evaluate(values)

    def __neg__(self) -> Formula:
        return self.operand

    def __mul__(self, other: Formula | float) -> Formula:
        return -(self.operand * other)

    def __matmul__(self, other: Formula) -> Formula:
        return -(self.operand @ other)

    def __truediv__(self, other: Formula | float) -> Formula:
        return -(self.operand / other)


@dataclass(frozen=True)
class Product(Formula):
    """Factors, multiplied element by element or as matrices.

    Attributes
    ----------
    sign
        ``"·"`` or ``" @ "``; ``" · "`` for the chain rule's products, wide enough that others
        inside need no parentheses.
    """

    factors: tuple[Formula, ...]
    sign: str = "·"

    def __post_init__(self) -> None:
        flat: list[Formula] = []
        for factor in self.factors:
            alike = isinstance(factor, Product) and factor.sign == self.sign
            flat += factor.factors if alike else [factor]  # type: ignore[attr-defined]
        object.__setattr__(self, "factors", tuple(flat))

    @property
    def level(self) -> Level:
        """A negative number in front makes all of it negative."""
        is_negative = self.factors[0].level is Level.NEGATIVE
        return Level.NEGATIVE if is_negative else Level.PRODUCT

    @property
    def parts(self) -> Parts:
        """a·b, a @ b."""
        inner = Level.PRODUCT if self.sign == " · " else Level.POWER
        first = self.factors[0]
        is_number = isinstance(first, Symbol) and first.level is Level.NEGATIVE
        written: list[Part] = [(first, Level.NEGATIVE if is_number else inner)]
        for factor in self.factors[1:]:
            written += [self.sign, (factor, inner)]
        return tuple(written)

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Multiply."""
        product = self.factors[0].evaluate(values)
        for factor in self.factors[1:]:
            other = factor.evaluate(values)
            product = product @ other if self.sign == " @ " else product * other
        return product


@dataclass(frozen=True)
class Quotient(Formula):
    """A fraction; typeset with a bar, which needs no parentheses."""

    numerator: Formula
    denominator: Formula
    LEVEL = Level.QUOTIENT

    @property
    def math_level(self) -> Level:
        """The bar holds it together, but no exponent can stand at it."""
        return Level.POWER

    @property
    def parts(self) -> Parts:
        """a/b."""
        return (self.numerator, Level.PRODUCT), "/", (self.denominator, Level.POWER)

    @property
    def mathml(self) -> MathML:
        """With a bar."""
        return ["mfrac", self.numerator.mathml, self.denominator.mathml]

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Divide."""
        return self.numerator.evaluate(values) / self.denominator.evaluate(values)


@dataclass(frozen=True)
class Power(Formula):
    """A base to an exponent; a small whole number is a superscript in plain text, too."""

    base: Formula
    exponent: Formula
    LEVEL = Level.POWER

    @property
    def parts(self) -> Parts:
        """a², a^b."""
        exponent = self.exponent
        if isinstance(exponent, Symbol) and exponent.name.lstrip("-").isdecimal():
            return (self.base, Level.ATOM), exponent.name.translate(_SUPERSCRIPT)
        return (self.base, Level.ATOM), "^", (exponent, Level.ATOM)

    @property
    def mathml(self) -> MathML:
        """Raised."""
        return ["msup", enclosed(self.base, Level.ATOM), self.exponent.mathml]

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Raise."""
        return np.asarray(self.base.evaluate(values)) ** self.exponent.evaluate(values)


@dataclass(frozen=True)
class Transpose(Formula):
    """The last two axes exchanged; a row or column vector stays as it is."""

    matrix: Formula
    LEVEL = Level.POWER

    @property
    def parts(self) -> Parts:
        """Wᵀ."""
        return (self.matrix, Level.ATOM), "ᵀ"

    @property
    def mathml(self) -> MathML:
        """Raised."""
        return ["msup", enclosed(self.matrix, Level.ATOM), ["mi", "T"]]

    def evaluate(self, values: Mapping[str, Array | float]) -> Any:
        """Exchange."""
        matrix = np.asarray(self.matrix.evaluate(values))
        return matrix if matrix.ndim < 2 else np.swapaxes(matrix, -1, -2)
