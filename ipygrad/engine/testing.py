"""Check backward against differences of forward; for functions of one's own, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine.core import Array, Variable, as_array, as_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RELATIVE = 1e-6
"""How far backward may be from the differences, relatively; they are good to about 1e-9."""
STEP = 1e-3
"""Half the width of the inner difference, for numbers of size 1 and less."""
MOST_LOCATED = 10_000
"""Above so many elements an error does not say which of them is worst."""
ORDINALS = ("first", "second", "third")


def numerical_jacobian(
    f: Callable[..., Any], *inputs: Any, argnum: int = 0, step: float = STEP
) -> Array:
    """Return d(f)/d(input) by central differences of fourth order, without any backward.

    Parameters
    ----------
    f
        A function of Variables that returns one Variable: one of ours, a formula, or a `Function`.
    *inputs
        Numbers, arrays or Variables where it is looked at. They are used as float64.
    argnum
        By which of the inputs, counted from 0.
    step
        Half the width of the inner difference, in units of the input, for elements of size 1 and
        less; larger ones get a step that is larger by as much.

    Returns
    -------
    ndarray
        Of shape ``(*y.shape, *x.shape)``, in units of y per unit of x.

    Raises
    ------
    TypeError
        When `f` returns something else than a Variable.
    """
    arrays = [_float64(x) for x in inputs]
    x = arrays[argnum]
    columns = [_difference(f, arrays, argnum, _unit(x.shape, i), step) for i in np.ndindex(x.shape)]
    if not columns:
        return np.zeros((*_value(f, arrays).shape, *x.shape))
    jacobian = np.stack(columns, axis=-1)
    return jacobian.reshape((*columns[0].shape, *x.shape))


def check_grads(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    seed: int = 0,
    step: float = STEP,
    rtol: float = RELATIVE,
) -> None:
    """Compare what backward gives with central differences along random directions.

    The outputs are weighted by random numbers and summed. For each input in turn, the slope of this
    sum along one random direction is found by differences and by backward. With a higher `order`
    the same is done for the derivative along random directions, which backward must have made with
    ``create_graph=True``.

    Parameters
    ----------
    f
        A function of Variables that returns one Variable or several.
    *inputs
        Numbers, arrays or Variables where it is looked at; not within a few steps of a kink. They
        are used as float64.
    order
        How often to differentiate: 1, 2 or 3.
    seed
        Of the random directions, so that the same call always does the same.
    step
        As for `numerical_jacobian`.
    rtol
        How far backward may be from the differences, relatively.

    Raises
    ------
    AssertionError
        When they disagree; the message says which derivative, for which input, where and by how
        much.
    """
    if not 1 <= order <= len(ORDINALS):
        raise ValueError(f"check_grads goes from order 1 to {len(ORDINALS)}, but got {order}")
    name = getattr(f, "__name__", None) or getattr(f, "label", type(f).__name__)
    arrays = [_float64(x) for x in inputs]
    rng = np.random.default_rng(seed)
    for number in range(order):
        outputs = _outputs(f, arrays)
        weights = [np.asarray(rng.normal(size=y.shape)) for y in outputs]
        total = _weighted(f, weights)
        _check(total, arrays, rng, f"{ORDINALS[number]} derivative of {name}", step, rtol)
        f = _along(total, [np.asarray(rng.normal(size=x.shape)) for x in arrays])


def _check(
    total: Callable[..., Variable],
    arrays: Sequence[Array],
    rng: np.random.Generator,
    what: str,
    step: float,
    rtol: float,
) -> None:
    gradients = _gradients(total, [Variable(x.copy()) for x in arrays], create_graph=False)
    for argnum, x in enumerate(arrays):
        if not x.size:
            continue
        direction = rng.choice([-1.0, 1.0], size=x.shape) * rng.uniform(0.5, 1, size=x.shape)
        expected = float(_difference(total, arrays, argnum, direction, step))
        found = float(np.sum(gradients[argnum] * direction))
        # The parts of the sum may cancel; what matters is their size.
        size = max(float(np.sum(np.abs(gradients[argnum] * direction))), abs(expected), 1e-6)
        if not abs(found - expected) <= rtol * size:
            where = _worst(total, arrays, argnum, gradients[argnum], step)
            raise AssertionError(
                f"check_grads: {what}, by input {argnum + 1} of {len(arrays)}, shape {x.shape}: "
                f"backward gives {found:.10g} along a random direction, central differences give "
                f"{expected:.10g}, off by {abs(found - expected) / size:.2g} relatively{where}"
            )


def _worst(
    total: Callable[..., Variable], arrays: Sequence[Array], argnum: int, gradient: Any, step: float
) -> str:
    """Say at which element the two are farthest apart."""
    if arrays[argnum].size > MOST_LOCATED:
        return ""
    expected = numerical_jacobian(total, *arrays, argnum=argnum, step=step)
    off = np.where(np.isfinite(gradient - expected), np.abs(gradient - expected), np.inf)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(off)), off.shape))
    if not index:
        return ""
    return (
        f"; worst at element {index}: backward gives {gradient[index]:.10g}, differences "
        f"{expected[index]:.10g}"
    )


def _weighted(f: Callable[..., Any], weights: Sequence[Array]) -> Callable[..., Variable]:
    def total(*xs: Variable) -> Variable:
        returned = f(*xs)
        outputs = as_tuple(returned)
        summed = Variable(0.0)
        for y, weight in zip(outputs, weights, strict=True):
            summed = summed + (y * weight).sum()
        return summed

    return total


def _along(total: Callable[..., Variable], directions: Sequence[Array]) -> Callable[..., Variable]:
    def slope(*xs: Variable) -> Variable:
        summed = Variable(0.0)
        for gradient, direction in zip(_gradients(total, xs, True), directions, strict=True):
            summed = summed + (gradient * direction).sum()
        return summed

    return slope


def _gradients(
    total: Callable[..., Variable], xs: Sequence[Variable], create_graph: bool
) -> list[Any]:
    total(*xs).backward(create_graph=create_graph)
    gradients = [Variable(np.zeros(x.shape)) if x.grad is None else x.grad for x in xs]
    for x in xs:
        x.cleargrad()
    if create_graph:
        return gradients
    return [g.data if isinstance(g, Variable) else g for g in gradients]


def _difference(
    f: Callable[..., Any], arrays: Sequence[Array], argnum: int, direction: Array, step: float
) -> Array:
    """Return the slope along a direction; Abramowitz and Stegun, 25.3.6."""
    x = arrays[argnum]
    h = step * max(1.0, float(np.max(np.abs(x[direction != 0]), initial=0.0)))

    def at(steps: int) -> Array:
        moved = [*arrays]
        moved[argnum] = np.asarray(x + steps * h * direction)
        return _value(f, moved)

    slope: Array = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
    return slope


def _value(f: Callable[..., Any], arrays: Sequence[Array]) -> Array:
    (y,) = _outputs(f, arrays)
    return y


def _outputs(f: Callable[..., Any], arrays: Sequence[Array]) -> list[Array]:
    # Recorded: a derivative along a direction runs a backward pass of its own.
    returned = f(*[Variable(x.copy()) for x in arrays])
    outputs = as_tuple(returned)
    for y in outputs:
        if not isinstance(y, Variable):
            raise TypeError(f"f must return a Variable, but returned {type(y).__name__}")
    return [y.data for y in outputs]


def _float64(x: Any) -> Array:
    array = x.data if isinstance(x, Variable) else as_array(x, "An input")
    return array.astype(np.float64)


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    direction = np.zeros(shape)
    direction[index] = 1.0
    return direction
