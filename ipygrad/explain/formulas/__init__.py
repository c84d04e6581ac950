"""The table of derivatives: for each class of functions its formulas and its role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygrad.explain.formula import Symbol
from ipygrad.explain.formulas.elementwise import ELEMENTWISE
from ipygrad.explain.formulas.matrices import MATRICES
from ipygrad.explain.formulas.places import PLACES
from ipygrad.explain.formulas.reductions import REDUCTIONS
from ipygrad.explain.formulas.rule import Rule, Rules, Site
from ipygrad.explain.formulas.written import RestoredFunction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.engine.core import Function
    from ipygrad.explain.formula import Formula

RULES: Rules = {**ELEMENTWISE, **REDUCTIONS, **PLACES, **MATRICES}


def rule_of(function: Function) -> Rule | None:
    """Return the rule of a function's class, or what is known of a restored one."""
    return function.rule if isinstance(function, RestoredFunction) else RULES.get(type(function))


def local_formula(
    function: Function,
    argnum: int,
    inputs: Sequence[str],
    outputs: Sequence[str],
    arriving: Sequence[Formula],
) -> Formula | None:
    """Return the derivative of a recorded function as a formula in the user's own names.

    Parameters
    ----------
    function
        A function that has been called.
    argnum
        By which of its inputs, counted from 0.
    inputs, outputs
        What they are called.
    arriving
        What to call the gradients arriving, one for each output.

    Returns
    -------
    Formula or None
        For an elementwise function (`is_local`) the local derivative; for any other the
        contribution, in which the gradients arriving stand. None for a class that is not in the
        table, such as a user's own, whatever it inherits from.
    """
    rule = rule_of(function)
    if rule is None:
        return None
    x, y = (tuple(Symbol(name) for name in names) for names in (inputs, outputs))
    return rule.formula(Site(function, argnum, x, y, tuple(arriving)))


def is_local(function: Function) -> bool:
    """Tell whether `local_formula` gives a local derivative, and no contribution."""
    rule = rule_of(function)
    return rule is not None and rule.is_local


def role_of(function: Function) -> str | None:
    """Return what a function does to gradients, as a key of the sentences; None if unknown."""
    rule = rule_of(function)
    return None if rule is None else f"role_{rule.role}"
