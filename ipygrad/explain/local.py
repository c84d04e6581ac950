"""The local derivative of one function where it was called: a slope, several, or a Jacobian.

All of it is found by calling copies of the function itself, so a function that the user wrote gets
its curve, too.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ipygrad.capture.quiet import called_quietly, private_copy, quietly
from ipygrad.engine.core import as_tuple
from ipygrad.explain.calls import Call, call_at, fitted, recorded_call
from ipygrad.explain.elementwise import elementwise_call
from ipygrad.explain.jacobian import jacobian_of
from ipygrad.explain.marks import Mark, find_marks
from ipygrad.explain.sampling import Samples, no_samples, sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ipygrad.engine.core import Array, Function, Variable
    from ipygrad.explain.sampling import Sampler

    Slopes = tuple[float | Array | None, ...]

DRAWS = 8
"""How often a user's function of numbers is called to see whether it draws random numbers."""
MOST_COMPARED = 121
"""So many elements are computed apart from the others, to see whether that may be done."""


Kind = Literal["curve", "points", "jacobian"]


@dataclass(frozen=True, eq=False)
class LocalDerivative:
    """What one function does to a small change of one of its inputs, the others held.

    Attributes
    ----------
    kind
        ``"curve"`` for a function of numbers, ``"points"`` for one that works on the elements of
        arrays one by one, ``"jacobian"`` for any other.
    argnum
        Which input is varied, counted from 0.
    label, x_name, y_name
        What the function, its input and its output are called.
    x, y
        The recorded input and output; of several outputs the elements one after the other.
    slope
        According to the recorded function's own backward, in units of output per unit of input: a
        number for a curve; for points one for each output element, by the input element under it;
        None for a Jacobian. nan where backward raises.
    samples
        The curve around x, which is among them; for points the one through the `chosen` element,
        the other inputs held at theirs. Empty when that is not finite; None for a Jacobian.
    jacobian
        Shape ``(*y.shape, *x.shape)``; None for other kinds, when it would have more than 4096
        cells, and when backward fails.
    structure
        What the Jacobian is, such as ``"identity"``; see `ipygrad.explain.structure`.
    marks
        Kinks, jumps and poles of the curve, and whether it is flat at the point.
    arity
        How many inputs the function has.
    chosen
        For points: index of the output element whose tangent is drawn, the first with the largest
        slope.
    """

    kind: Kind
    argnum: int
    label: str
    x_name: str
    y_name: str
    x: float | Array
    y: float | Array
    slope: float | Array | None
    samples: Samples | None
    arity: int = 1
    jacobian: Array | None = None
    structure: str | None = None
    marks: tuple[Mark, ...] = ()
    chosen: tuple[int, ...] = ()


def local_derivative_of(
    function: Function, argnum: int, *, x_name: str, y_name: str, label: str
) -> LocalDerivative:
    """Find the local derivative of a recorded function with respect to its input `argnum`.

    The function itself is never called: copies of it are, as `ipygrad.capture.quiet.quietly` does,
    and an exception in one of these calls makes a gap in the curve. A function that takes more than
    2 ms a call is sampled at fewer points, one that takes more than 20 ms only at the recorded one.

    Parameters
    ----------
    function
        A function that has been called.
    argnum
        Which of its inputs to vary, counted from 0; the others keep their recorded values.
    x_name, y_name, label
        What to call the input, the output and the function.

    Raises
    ------
    IndexError
        When there is no input `argnum`.
    """
    x = function.inputs[argnum].data
    about = (argnum, label, x_name, y_name)
    arity = len(function.inputs)
    with quietly():
        recorded = recorded_call(function)
        if _of_numbers(recorded):
            slope, samples, marks = _curve(recorded, argnum)
            y = float(recorded.outputs[0].data)
            return LocalDerivative("curve", *about, float(x), y, slope, samples, arity, marks=marks)
        each = elementwise_call(recorded)
        if each is None:
            jacobian, structure = jacobian_of(recorded, argnum)
            outputs = [y.data for y in recorded.outputs]
            together = (
                outputs[0] if len(outputs) == 1 else np.concatenate([*map(np.ravel, outputs)])
            )
            return LocalDerivative(
                "jacobian", *about, x, together, None, None, arity, jacobian, structure
            )
        slopes = np.full(each.outputs[0].shape, np.nan)
        with suppress(Exception):
            slopes = each.contribution(argnum)
        chosen = _steepest(slopes, each.outputs[0].data)
        samples, marks = _curve_through(each, argnum, chosen, float(slopes[chosen]))
    y_data = recorded.outputs[0].data
    return LocalDerivative(
        "points", *about, x, y_data, slopes, samples, arity, marks=marks, chosen=chosen
    )


def local_slopes(function: Function) -> Slopes:
    """Return the local derivative for each input of a recorded function, without its curve.

    A number for a function of numbers; an array of the output's shape for one that works element
    by element; None for any other, and where backward gives no number. There is one entry for each
    input, however many backward returns. It costs a call of backward, and for arrays a few calls of
    forward, none of them of the recorded function.
    """
    with called_quietly(function) as own:
        if (y := _number_made_by(function)) is not None:
            return _slopes_of_numbers(own, y)
        slopes: list[Array | None] = []
        with suppress(Exception):
            (made,) = function.outputs
            each = elementwise_call(recorded_call(own)) if made is None or made.ndim else None
            if each is not None:
                shape = each.outputs[0].shape
                slopes = [None if c is None else fitted(c, shape) for c in each.contributions()]
        return _one_for_each_input(function, slopes)


def slopes_of_numbers(functions: Iterable[Function]) -> list[Slopes | None]:
    """Return `local_slopes` of each function of numbers, and None for any other.

    Of many functions these are found several times quicker together.
    """
    with quietly():
        made = [(function, _number_made_by(function)) for function in functions]
        return [
            None if y is None else _slopes_of_numbers(private_copy(own) if own._is_free else own, y)
            for own, y in made
        ]


def _number_made_by(function: Function) -> Variable | None:
    """Return the one output of a function of numbers; None for any other function."""
    if len(function.outputs) != 1:
        return None
    (y,) = function.outputs
    return None if y is None or y.ndim or any(x.ndim for x in function.inputs) else y


def _slopes_of_numbers(own: Function, y: Variable) -> Slopes:
    slopes: list[float | None] = []
    with suppress(Exception):
        contributions = as_tuple(own.backward(np.ones((), y.dtype)))
        slopes = [None if c is None else float(fitted(c, ())) for c in contributions]
    return _one_for_each_input(own, slopes)


def _one_for_each_input(function: Function, slopes: Sequence[float | Array | None]) -> Slopes:
    count = len(function.inputs)
    return tuple([*slopes, *[None] * count][:count])


def _of_numbers(call: Call) -> bool:
    return len(call.outputs) == 1 and not any(v.ndim for v in (*call.inputs, *call.outputs))


def _steepest(slopes: Array, y: Array) -> tuple[int, ...]:
    """Return the index of the first element with the largest slope, among those with a result."""
    steepness = np.where(np.isfinite(slopes) & np.isfinite(y), np.abs(slopes), -1.0)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(steepness)), slopes.shape))


# --- curves -------------------------------------------------------------------------------------


def _curve(recorded: Call, argnum: int) -> tuple[float, Samples, tuple[Mark, ...]]:
    slope = math.nan
    with suppress(Exception):
        slope = float(recorded.contribution(argnum))
    if _draws_anew(recorded):
        return slope, no_samples(), ()
    sampler = _one_by_one(recorded, argnum, ())
    x = float(recorded.inputs[argnum].data)
    samples = sample(sampler, x, slope)
    return slope, samples, find_marks(sampler, samples, x, slope)


def _draws_anew(recorded: Call) -> bool:
    """Tell whether the user's forward gives something else each time."""
    if not recorded.function._is_free:
        return False
    with suppress(Exception):
        arrays = [x.data for x in recorded.inputs]
        results = [call_at(recorded.function, arrays).outputs[0].data for _ in range(DRAWS)]
        return not all(np.array_equal(results[0], y, equal_nan=True) for y in results)
    return False


def _one_by_one(recorded: Call, argnum: int, element: tuple[int, ...]) -> Sampler:
    """Return what computes one element's output and slope with a call for each place."""
    held = [x.data for x in recorded.inputs]

    def sampler(u: Array) -> tuple[Array, Array]:
        answers = [_varied(recorded, held, argnum, value, element) for value in u.tolist()]
        f, slopes = np.array(answers).T
        return f, slopes

    return sampler


def _varied(
    recorded: Call, held: list[Array], argnum: int, u: float, element: tuple[int, ...]
) -> tuple[float, float]:
    """Compute one element's output and slope with its input set to `u`; what fails is nan."""
    f = slope = math.nan
    with suppress(Exception):
        arrays = [*held]
        arrays[argnum] = held[argnum].copy()
        arrays[argnum][element] = u
        call = call_at(recorded.function, arrays)
        (y,) = call.outputs
        f = float(y.data[element])
        slope = float(call.contribution(argnum)[element])
    return f, slope


def _curve_through(
    each: Call, argnum: int, chosen: tuple[int, ...], slope: float
) -> tuple[Samples, tuple[Mark, ...]]:
    held = [x.data for x in each.inputs]
    sampler = _sampler(each, argnum, chosen)
    x = float(held[argnum][chosen])
    finite = held[argnum][np.isfinite(held[argnum])]
    reach = None
    if finite.size and finite.min() < finite.max():
        margin = 0.1 * (float(finite.max()) - float(finite.min()))
        reach = float(finite.min()) - margin, float(finite.max()) + margin
    samples = sample(sampler, x, slope, reach)
    return samples, find_marks(sampler, samples, x, slope)


def _sampler(each: Call, argnum: int, chosen: tuple[int, ...]) -> Sampler:
    one_by_one = _one_by_one(each, argnum, chosen)
    held = [x.data for x in each.inputs]
    like = held[argnum].dtype

    def at_once(u: Array) -> tuple[Array, Array]:
        arrays = [np.full(u.shape, array[chosen], array.dtype) for array in held]
        arrays[argnum] = u.astype(like)
        call = call_at(each.function, arrays)
        return _row(call.outputs[0].data, u), _row(call.contribution(argnum), u)

    def sampler(u: Array) -> tuple[Array, Array]:
        with suppress(Exception):
            return at_once(u)
        return one_by_one(u)

    return sampler if _elements_are_alike(each) else one_by_one


def _row(values: Array, u: Array) -> Array:
    if values.shape != u.shape:
        raise ValueError("not one for each place")
    return values.astype(np.float64)


def _elements_are_alike(each: Call) -> bool:
    """Tell whether the same inputs give the same output at any place of an array of any shape.

    They do not where a function keeps something for each element, such as a mask.
    """
    places = np.unique(np.linspace(0, each.outputs[0].size - 1, MOST_COMPARED).astype(int))
    expected = each.outputs[0].data.ravel()[places]
    with suppress(Exception):
        # In reverse order and each twice: so one for each element does not fit by chance.
        order = np.repeat(np.arange(places.size)[::-1], 2)
        (y,) = call_at(each.function, [x.data.ravel()[places][order] for x in each.inputs]).outputs
        return y.shape == order.shape and np.allclose(
            y.data, expected[order], rtol=1e-3 if y.dtype == np.float16 else 1e-6, equal_nan=True
        )
    return False
