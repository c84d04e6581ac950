"""What a table of derivatives consists of: a role and formulas for each class of functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.explain.broadcasting import summed_axes
from ipygrad.explain.terms import Call, Indicator, Reshaped, Root

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.engine.core import Array, Function
    from ipygrad.explain.formula import Formula


@dataclass(frozen=True)
class Site:
    """A function where it was called, with what to call things there.

    Attributes
    ----------
    function
        The recorded function, for its options and for shapes.
    argnum
        By which of its inputs it is differentiated, counted from 0.
    inputs, outputs
        Their names.
    arriving
        What to call the gradients arriving, one for each output.
    """

    function: Any
    argnum: int
    inputs: tuple[Formula, ...]
    outputs: tuple[Formula, ...]
    arriving: tuple[Formula, ...]

    @property
    def x(self) -> Formula:
        """The input by which it is differentiated."""
        return self.inputs[self.argnum]

    @property
    def a(self) -> Formula:
        """The first input."""
        return self.inputs[0]

    @property
    def b(self) -> Formula:
        """The second input."""
        return self.inputs[1]

    @property
    def y(self) -> Formula:
        """The first output."""
        return self.outputs[0]

    @property
    def gy(self) -> Formula:
        """The gradient arriving at the first output."""
        return self.arriving[0]

    def value(self, argnum: int | None = None) -> Array:
        """Return the data of an input, by default of the one by which it is differentiated."""
        data: Array = self.function.inputs[self.argnum if argnum is None else argnum].data
        return data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the input by which it is differentiated."""
        shape: tuple[int, ...] = self.value().shape
        return shape

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        shape: tuple[int, ...] = self.function.outputs[0].data.shape
        return shape


class Rule(NamedTuple):
    """The derivatives of one class of functions.

    Attributes
    ----------
    role
        What it does to gradients: a key of the sentences, without its ``role_``.
    formula
        Returns the formula for one input; None where it is not known.
    is_local
        Whether the formula is the local derivative of each output element by the input element
        under it; else it is the contribution, with the gradient arriving in it.
    """

    role: str
    formula: Callable[[Site], Formula | None]
    is_local: bool


Rules = dict[type["Function"], Rule]


def local(role: str, *formulas: Callable[[Site], Formula]) -> Rule:
    """Return the rule of an elementwise function: a local derivative for each input."""
    return Rule(role, lambda at: formulas[at.argnum](at), is_local=True)


def contribution(role: str, *formulas: Callable[[Site], Formula]) -> Rule:
    """Return the rule of another function: a contribution for each input, the last for the rest."""
    return Rule(role, lambda at: formulas[min(at.argnum, len(formulas) - 1)](at), is_local=False)


def named(name: str, function: Callable[..., Any]) -> Callable[..., Formula]:
    """Return what makes calls of a function, under its name in formulas."""
    return lambda *arguments, options="": Call(name, function, arguments, options)


exp, ln = named("exp", np.exp), named("ln", np.log)
sin, cos = named("sin", np.sin), named("cos", np.cos)
sinh, cosh, tanh = named("sinh", np.sinh), named("cosh", np.cosh), named("tanh", np.tanh)
sign = named("sign", np.sign)
sqrt = Root


def where(a: Formula, relation: str, b: Formula) -> Formula:
    """Return 1 where the relation holds, else 0."""
    return Indicator((a, b), (relation,))


def axis_text(axis: object) -> str:
    """Return an axis as an option of a call; nothing for None."""
    return "" if axis is None else f"axis={axis}"


def summed(formula: Formula, y_shape: tuple[int, ...], x_shape: tuple[int, ...]) -> Formula:
    """Return a formula of `y_shape`, summed over the axes along which `x_shape` was repeated."""
    axes = summed_axes(y_shape, x_shape)
    if not axes:
        return Reshaped(formula, x_shape)
    text = axis_text(axes[0] if len(axes) == 1 else axes)
    return Call("sum", lambda value: sum_to(np.asarray(value), x_shape), (formula,), text)
