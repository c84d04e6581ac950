"""One step's product, gradient arriving times local derivative: checked, summed, as a formula."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.explain.broadcasting import is_repeated, summed_axes
from ipygrad.explain.formula import Formula, Product, Symbol
from ipygrad.explain.formulas import is_local, local_formula
from ipygrad.explain.formulas.rule import summed
from ipygrad.explain.terms import Derivative, equal

if TYPE_CHECKING:
    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.words import Words

    Slope = float | Array | None

TOLERANCE, ROUNDINGS = 1e-6, 8
"""How far a contribution may be, relatively, from gradient arriving times local derivative: the
larger of this and so many roundings in its own precision."""

LONGEST_FORMULA = 60
"""In characters of plain text; a longer one would hide the product in which it stands."""


def product_before_sum(step: BareStep, slope: float | Array) -> Array:
    """Return gradient arriving times local derivative, of the shape of the output."""
    with np.errstate(all="ignore"):
        return np.asarray(step.cotangents[0] * slope)


def product_of(step: BareStep, argnum: int, slope: float | Array) -> Array:
    """Return gradient arriving times local derivative, of the shape of the input.

    What the input was repeated for is summed.
    """
    contribution = step.contributions[argnum]
    product = product_before_sum(step, slope)
    return product if contribution is None else _fitted(product, contribution.shape)


def _fitted(product: Array, shape: tuple[int, ...]) -> Array:
    if product.shape == shape or not is_repeated(product.shape, shape):
        return product
    with np.errstate(all="ignore"):
        total: Array = sum_to(product, shape)
    return total


def product_holds(step: BareStep, argnum: int, slope: float | Array) -> bool:
    """Tell whether a contribution is the gradient arriving times the local derivative.

    A learner's backward that forgets gy, or multiplies with it twice, or does not sum over the axes
    along which an input was repeated, breaks this.

    Parameters
    ----------
    slope
        The local derivative: a number, or for an elementwise function an array of the output's
        shape.
    """
    contribution = step.contributions[argnum]
    if contribution is None:
        return True
    cotangent = step.cotangents[0]
    if isinstance(slope, float) and not (contribution.ndim or cotangent.ndim):
        # Nearly all numbers hold, and in a long pass there are many.
        product_of_numbers = float(cotangent) * slope
        off = abs(float(contribution) - product_of_numbers)
        if off <= TOLERANCE * abs(product_of_numbers) < inf:
            return True
    if not is_repeated(cotangent.shape, contribution.shape):
        return False
    precision = np.finfo(contribution.dtype)
    relative = max(TOLERANCE, ROUNDINGS * float(precision.eps))
    absolute = ROUNDINGS * float(precision.tiny * precision.eps)
    product = product_before_sum(step, slope)
    total = _fitted(product, contribution.shape)
    with np.errstate(all="ignore"):
        # The parts of a sum may cancel; what they are rounded to goes by their own size.
        size = _fitted(np.abs(product), contribution.shape)
        close = np.isclose(
            contribution, total, relative, absolute + relative * size, equal_nan=True
        )
    return bool(np.all(close))


def summed_text(words: Words, step: BareStep, argnum: int) -> str:
    """Say over which axes an elementwise product is summed; empty where it is not.

    "summed over axis 0: (4, 3) → (3,)".
    """
    contribution = step.contributions[argnum]
    y_shape = step.cotangents[0].shape
    if contribution is None or not is_repeated(y_shape, contribution.shape):
        return ""
    axes = summed_axes(y_shape, contribution.shape)
    if not axes:
        return ""
    key = "summed_over_one" if len(axes) == 1 else "summed_over_many"
    named = words.enumerate([str(axis) for axis in axes])
    return words(key, axes=named, before=y_shape, after=contribution.shape)


def step_formula(graph: Graph, step: BareStep, argnum: int) -> Formula | None:
    """Return the derivative for one input of a step, in the names and derivatives of this pass.

    The local derivative of an elementwise function; of another its contribution, in which the
    gradients arriving stand as ∂L/∂y. None for a function that is not in the table.
    """
    node = graph.functions[step.function]
    inputs = [graph.variables[x].name for x in node.inputs]
    return local_formula(
        node.function, argnum, inputs, output_names(graph, node), _arriving(graph, node)
    )


def elementwise_formula(graph: Graph, step: BareStep, argnum: int) -> Formula | None:
    """Return the local derivative for one input of a step: exp(a).

    None for a constant and for a function that is not elementwise or not in the table.
    """
    node = graph.functions[step.function]
    if step.contributions[argnum] is None or not is_local(node.function):
        return None
    return step_formula(graph, step, argnum)


def local_equation(graph: Graph, step: BareStep, argnum: int) -> Formula | None:
    """Return the local derivative for one input with its name before it: ∂b/∂a = exp(a).

    None where `elementwise_formula` is.
    """
    node = graph.functions[step.function]
    formula = elementwise_formula(graph, step, argnum)
    if formula is None:
        return None
    name = Derivative(Symbol(output_names(graph, node)[0]), _symbol(graph, node.inputs[argnum]))
    return equal(name, formula)


def equation(
    words: Words, graph: Graph, step: BareStep, argnum: int, slope: Slope
) -> Formula | None:
    """Return the product of one step: ∂y/∂a = ∂y/∂b · exp(a) = 2.568 · 1.284 = 3.297.

    The left-hand side is left out for an input that several functions use, since this product is
    then only a part of its gradient.

    Parameters
    ----------
    argnum
        For which input.
    slope
        Its local derivative: a number, an array of the output's shape for an elementwise function,
        or None.

    Returns
    -------
    Formula or None
        None for a constant, where backward breaks the product, and for a function without a formula
        whose local derivative is a Jacobian.
    """
    node = graph.functions[step.function]
    contribution = step.contributions[argnum]
    if contribution is None or (slope is not None and not product_holds(step, argnum, slope)):
        return None
    x = node.inputs[argnum]
    end = _value(words, contribution)
    sides = _sides(words, graph, step, argnum, slope)
    if not sides:
        return None
    if graph.uses[x] == 1:
        sides.insert(0, Derivative(_symbol(graph, graph.results[0]), _symbol(graph, x)))
    return equal(*sides, end)


def _sides(words: Words, graph: Graph, step: BareStep, argnum: int, slope: Slope) -> list[Formula]:
    """Return the product in names and, where the local derivative is known, in numbers."""
    node = graph.functions[step.function]
    formula = step_formula(graph, step, argnum)
    if formula is not None and not is_local(node.function):
        if slope is None or np.ndim(slope):
            return [formula]
        formula = None  # of a single number even a sum has a slope
    if formula is None and slope is None:
        return []
    if formula is None or len(formula.text) > LONGEST_FORMULA:
        output = Symbol(output_names(graph, node)[0])
        formula = Derivative(output, _symbol(graph, node.inputs[argnum]))
    arriving = step.cotangents[0]
    products = [Product((_arriving(graph, node)[0], formula), " · ")]
    if slope is not None:
        local = formula if is_written_out(formula) else _value(words, slope)
        products.append(Product((_value(words, arriving), local), " · "))
    contribution = step.contributions[argnum]
    shape = arriving.shape if contribution is None else contribution.shape
    return [summed(product, arriving.shape, shape) for product in products]


def is_written_out(formula: Formula | None) -> bool:
    """Tell whether a formula is a number already, the same for all elements."""
    return isinstance(formula, Symbol) and np.ndim(formula.value) == 0 and formula.value is not None


def _symbol(graph: Graph, variable: int) -> Symbol:
    return Symbol(graph.variables[variable].name)


def _value(words: Words, value: Array | float) -> Symbol:
    return Symbol(words.number(value), value)


def output_names(graph: Graph, node: FunctionNode) -> list[str]:
    """Return what a function's outputs are called; a dash for one that was dropped."""
    return ["–" if y is None else graph.variables[y].name for y in node.outputs]


def _arriving(graph: Graph, node: FunctionNode) -> list[Formula]:
    result = _symbol(graph, graph.results[0])
    return [Derivative(result, Symbol(name)) for name in output_names(graph, node)]
