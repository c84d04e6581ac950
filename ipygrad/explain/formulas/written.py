"""Functions that are gone, and their formulas, of which only is known how they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from ipygrad.engine.core import Function
from ipygrad.explain.formula import Formula, Symbol

if TYPE_CHECKING:
    from ipygrad.explain.formulas.rule import Rule
    from ipygrad.explain.typeset import Level, MathML


@dataclass(frozen=True)
class Written(Symbol):
    """A formula as it was written: it can stand in others, but not be evaluated.

    Attributes
    ----------
    tree
        Its MathML.
    levels
        How tightly it holds together as plain text, and typeset.
    """

    tree: MathML = field(kw_only=True, compare=False)
    levels: tuple[Level, Level] = field(kw_only=True, compare=False)

    @property
    def level(self) -> Level:
        """As it was."""
        return self.levels[0]

    @property
    def math_level(self) -> Level:
        """As it was."""
        return self.levels[1]

    @property
    def text(self) -> str:
        """As it was written."""
        return self.name

    @property
    def mathml(self) -> MathML:
        """As it was typeset."""
        return self.tree

    @classmethod
    def of(cls, formula: Formula) -> Written:
        """Return how a formula is written; a number stays one."""
        value = formula.value if isinstance(formula, Symbol) else None
        levels = (formula.level, formula.math_level)
        return cls(formula.text, value, tree=formula.mathml, levels=levels)


class RestoredFunction(Function):
    """A function of which only its name, its inputs and its formulas are known.

    Parameters
    ----------
    name
        What it is called.
    rule
        What it does to gradients; None for one that is not in the table.
    """

    def __init__(self, name: str, rule: Rule | None) -> None:
        self._name = name
        self.rule = rule

    def __call__(self, *_inputs: Any, **_options: Any) -> NoReturn:
        """Say that it cannot be called."""
        raise RuntimeError(f"{self._name} was restored from data, so it cannot be called")

    forward = backward = __call__
