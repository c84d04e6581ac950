"""Names and numbers in formulas: how tightly they hold together, as MathML, and as mathtext."""

from __future__ import annotations

import ast
import re
from enum import IntEnum
from functools import lru_cache
from typing import Any

MathML = str | list[Any]
"""A text, or [tag, child, ...]; tags are mrow mi mn mo msup msub mfrac msqrt mroot mtext."""

_NUMBER = re.compile(r"(-?)(\d+(?:\.\d+)?)(?:e([+-]?)0*(\d+))?")
_NUMBERED = re.compile(r"(.+?)([₀-₉]+)", re.DOTALL)
_FROM_SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_WHOLE = (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.Constant, ast.List, ast.Dict)
_SUMMARY = re.compile(r"\w+ \([\d, ]*\)|…|–")
_OPERATORS = {
    "·": r"\cdot",
    "−": "-",
    "∂": r"\partial ",
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "…": r"\ldots",
    "→": r"\rightarrow",
    "(": r"\left(",
    ")": r"\right)",
    "[": r"\left[",
    "]": r"\right]",
}


class Level(IntEnum):
    """How tightly a formula holds together; inside a tighter one it stands in parentheses."""

    EQUATION = 0
    SUM = 1
    NEGATIVE = 2
    QUOTIENT = 3
    PRODUCT = 4
    POWER = 5
    ATOM = 6


@lru_cache(maxsize=1024)
def level_of(text: str) -> Level:
    """Return how tightly a name, a number or an expression of the user's holds together.

    Names, calls, indices and attributes are atoms; whatever has an operator on its outside, or is
    no Python at all, takes parentheses beside an operator.
    """
    if _NUMBER.fullmatch(text):
        return Level.NEGATIVE if text.startswith("-") else Level.ATOM
    # A shape, "array (4, 3)", is taken for a product by nobody.
    if _NUMBERED.fullmatch(text) or _SUMMARY.fullmatch(text):
        return Level.ATOM
    try:
        body = ast.parse(text.replace("…", "..."), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Level.EQUATION
    return Level.ATOM if isinstance(body, _WHOLE) else Level.EQUATION


def is_power_of_ten(text: str) -> bool:
    """Tell whether a text is a number that is typeset as a product, 1.2·10⁻⁵."""
    number = _NUMBER.fullmatch(text)
    return number is not None and number[4] is not None


def typeset(text: str) -> MathML:
    """Return the MathML of a name, a number or an expression of the user's."""
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return row(_of_number(*number.groups()))
    numbered = _NUMBERED.fullmatch(text)
    if numbered is not None:
        return ["msub", typeset(numbered[1]), ["mn", numbered[2].translate(_FROM_SUBSCRIPT)]]
    return ["mi" if text.isidentifier() else "mtext", text]


def _of_number(
    sign: str, mantissa: str, exponent_sign: str | None, exponent: str | None
) -> list[MathML]:
    parts: list[MathML] = [["mo", "−"]] if sign else []
    parts.append(["mn", mantissa])
    if exponent is not None:
        power = _of_number("-" if exponent_sign == "-" else "", exponent, None, None)
        parts += [["mo", "·"], ["msup", ["mn", "10"], row(power)]]
    return parts


def row(parts: list[MathML]) -> MathML:
    """Return MathML's parts as one."""
    return parts[0] if len(parts) == 1 else ["mrow", *parts]


def mathtext_of(tree: MathML) -> str:
    """Return a tree of MathML as matplotlib writes mathematics, without the dollar signs."""
    if isinstance(tree, str):
        return _quoted(tree)
    tag, *children = tree
    if tag == "mo":
        return _OPERATORS.get(children[0]) or _quoted(children[0])
    if tag == "mi":
        return _identifier(children[0])
    if tag == "mn":
        return str(children[0])
    parts = [mathtext_of(child) for child in children]
    if tag == "mfrac":
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if tag in ("msup", "msub"):
        return f"{{{parts[0]}}}{'^' if tag == 'msup' else '_'}{{{parts[1]}}}"
    if tag == "msqrt":
        return rf"\sqrt{{{' '.join(parts)}}}"
    if tag == "mroot":
        return rf"\sqrt[{parts[1]}]{{{parts[0]}}}"
    return " ".join(parts)


def _identifier(name: str) -> str:
    if name.isascii() and name.isalnum():
        return name if len(name) == 1 else rf"\mathrm{{{name}}}"
    return _quoted(name)


def _quoted(text: str) -> str:
    """Return any text so that mathtext shows it as it is."""
    if all(c in "+-=<>/,@|" for c in text):
        return text
    escaped = re.sub(r"([\\{}$])", r"\\\1", text)
    return rf"\text{{{escaped}}}"
