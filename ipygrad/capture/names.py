"""What the user calls each variable."""

from __future__ import annotations

import re
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Protocol

from ipygrad.engine.core import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ipygrad.capture.observe import CallSite
    from ipygrad.capture.stack import Made


_PATH = re.compile(r"\w+(\.\w+|\[[^\[\]]*\])*")
"""A name, or one that is dotted or indexed: ``h``, ``layer.w``, ``layers[0]['w']``."""
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_TO_SUBSCRIPTS = str.maketrans("0123456789", _SUBSCRIPTS)


class CallSites(Protocol):
    """Somebody who knows where variables were made (an `Observer` of the cell)."""

    def site_of(self, output: object) -> CallSite | None:
        """Return where `output` was made, None if unknown."""

    def made_in(self, output: object) -> Made | None:
        """Return when and in which calls `output` was made, None if unknown."""


class NoCallSites:
    """Nobody watched."""

    def site_of(self, _output: object) -> None:
        """Return None."""

    def made_in(self, _output: object) -> None:
        """Return None."""


def names_in(namespace: Mapping[str, object]) -> dict[Variable, str]:
    """Return the name of each variable in `namespace`, also inside its lists, tuples and dicts.

    Names with a leading underscore do not count, nor do IPython's ``In`` and ``Out`` and the names
    that no source can hold, which rewritten assertions and comprehensions have. Of several names
    for one variable the first in `namespace` is taken; a dict keeps a key where it was first bound,
    so a name that is bound anew keeps its place. Gradients that are Variables themselves, and have
    no name of their own, are called after what they belong to: ``x.grad``.
    """
    names: dict[Variable, str] = {}
    for name, value in list(namespace.items()):
        if name.startswith("_") or not name.isidentifier() or name in ("In", "Out"):
            continue
        for variable, path in _variables_in(name, value):
            names.setdefault(variable, path)
    for variable, path in list(names.items()):
        if isinstance(variable.grad, Variable):
            names.setdefault(variable.grad, gradient_name(path))
    return names


def _variables_in(name: str, value: object) -> Iterator[tuple[Variable, str]]:
    if isinstance(value, Variable):
        yield value, name
    elif type(value) in (list, tuple):
        for index, element in enumerate(value):  # type: ignore[arg-type,var-annotated]
            if isinstance(element, Variable):
                yield element, f"{name}[{index}]"
    elif type(value) is dict:
        for key, element in value.items():
            if isinstance(element, Variable):
                yield element, f"{name}[{key!r}]"


def gradient_name(name: str) -> str:
    """Return what the gradient of a variable is called: ``x.grad``, ``(x * x).grad``."""
    return f"{_bracketed(name)}.grad"


def numbered(names: Mapping[Variable, str]) -> dict[Variable, str]:
    """Tell equal names apart by subscripts, in order: h, h becomes h₁, h₂; x*x becomes (x*x)₁.

    No Python name holds a subscript digit, so these cannot be mistaken for names of the user's.
    """
    turns = {name: count(1) for name, number in Counter(names.values()).items() if number > 1}
    bracketed = {name: _bracketed(name) for name in turns}
    return {
        variable: bracketed[name] + _subscript(next(turns[name])) if name in turns else name
        for variable, name in names.items()
    }


def is_own(name: str) -> bool:
    """Tell whether a name on the graph is one that the user has given, and to this one alone."""
    return _PATH.fullmatch(name) is not None and name[-1] not in _SUBSCRIPTS


def _bracketed(name: str) -> str:
    return name if _PATH.fullmatch(name) else f"({name})"


def _subscript(number: int) -> str:
    return str(number).translate(_TO_SUBSCRIPTS)
