"""Engines that learners type themselves, in the shape of `ipygrad.capture.shapes`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters.protocol import Adapter, CannotRerunError, Rerun
from ipygrad.capture.calls import Call, Calls
from ipygrad.capture.shapes import (
    as_gradient,
    data_of,
    fresh_variable,
    gradient_of,
    inputs_of,
    is_variable,
    linked_copy,
    outputs_of,
    variables_in,
)
from ipygrad.engine.core import Variable, as_tuple
from ipygrad.engine.testing import numerical_jacobian

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut


class LearnersAdapter(Adapter):
    """Reads graphs of classes that a learner has typed.

    Creator links are followed where there are any. Before a learner has come that far, the calls
    that were observed while cells ran stand in for them; a missing backward is stood in for by
    differences of forward.

    Parameters
    ----------
    calls
        What was observed, in order: of these, calls whose outputs have no creator count.
    """

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        super().__init__(calls)
        self._calls = {id(y): call for call in calls for y in call.outputs if y is not None}
        self._links: dict[int, Call] = {}

    def handles(self, value: object) -> bool:
        """Tell whether `value` has ``data``."""
        return is_variable(value)

    def creator(self, variable: Any) -> Call | None:
        """Return the call that made `variable`: from its creator, else as it was observed."""
        function = getattr(variable, "creator", None)
        if function is None:
            return self._calls.get(id(variable))
        if id(function) not in self._links:
            inputs = inputs_of(function)
            outputs = outputs_of(function) or (variable,)
            self._links[id(function)] = Call(function, inputs, outputs)
        return self._links[id(function)]

    def inputs(self, function: Call) -> Sequence[Any]:
        """Return what it was called with."""
        return function.inputs

    def outputs(self, function: Call) -> Sequence[Any | None]:
        """Return what it made."""
        return function.outputs

    def data(self, variable: Any) -> Array:
        """Return the array of a variable."""
        return data_of(variable)

    def label(self, function: Call) -> str:
        """Return the name of its class."""
        return type(function.function).__name__

    def backward(self, function: Call, cotangents: tuple[Array, ...]) -> tuple[Array | None, ...]:
        """Run the learner's own backward, or measure what it would have to give."""
        if not has_backward(function.function):
            inputs = [self.data(x) for x in function.inputs]
            return _measured(lambda arrays: self.rerun(function, arrays), inputs, cotangents)
        own = function.function
        if [*map(id, inputs_of(own))] != [*map(id, function.inputs)]:
            # One object was called twice: it remembers its latest call, but this is an earlier one.
            own = linked_copy(own, function.inputs, function.outputs)
        return _contributions(own, cotangents)

    def rerun(self, function: Call, inputs: Sequence[Array]) -> Rerun:
        """Call a copy of the function forward, on variables of the learner's class.

        Raises
        ------
        CannotRerunError
            When its forward fails there.
        """
        fresh = [
            fresh_variable(x if is_variable(x) else function.outputs[0], np.array(array))
            for x, array in zip(function.inputs, inputs, strict=True)
        ]
        own = linked_copy(function.function, fresh, ())
        try:
            arrays = _forward(own, fresh)
        except Exception as error:
            raise CannotRerunError(f"{self.label(function)}.forward raised {error!r}") from error
        outputs = [fresh_variable(fresh[0], array) for array in arrays]
        own = linked_copy(own, (), outputs)

        def backward(cotangents: tuple[Array, ...]) -> tuple[Array | None, ...]:
            # The outputs, which the copy may hold weakly, live as long as this function.
            _ = outputs
            if not has_backward(own):
                return _measured(lambda values: self.rerun(function, values), inputs, cotangents)
            return _contributions(own, cotangents)

        return Rerun(arrays, backward)

    def cut(self, variable: Any) -> Cut | None:
        """Tell of variables that were made while recording was off, under ``%%grad``."""
        calls = self.calls
        return "no_grad" if isinstance(calls, Calls) and calls.was_off(variable) else None

    def gradient(self, variable: Any) -> Array | None:
        """Return the gradient that a variable holds."""
        return gradient_of(variable)

    def start(self, result: Any) -> Array | None:
        """Return the gradient that a result holds: theirs starts from it, whoever assigned it."""
        gradient = gradient_of(result)
        is_fit = gradient is not None and gradient.shape == data_of(result).shape
        return gradient if is_fit else None

    def run_backward(self, result: Any, cotangent: Array) -> None:
        """Call the learner's own ``result.backward()``, where there is one."""
        if callable(getattr(result, "backward", None)):
            # Before an engine puts ones there itself, learners assign them by hand.
            result.grad = np.array(cotangent)
            result.backward()


def has_backward(function: object) -> bool:
    """Tell whether somebody has written a backward for a function, other than to refuse."""
    backward = getattr(type(function), "backward", None)
    code = getattr(backward, "__code__", None)
    return backward is not None and "NotImplementedError" not in getattr(code, "co_names", ())


def _forward(own: Any, inputs: Sequence[Any]) -> tuple[Array, ...]:
    """Run forward on arrays; where there is none, call the function on the variables."""
    forward = getattr(own, "forward", None)
    if forward is None:
        return tuple(data_of(y) for y in variables_in((own(*inputs),)))
    returned = _spread(forward, [x.data for x in inputs])
    return tuple(np.asarray(y, float) for y in as_tuple(returned))


def _contributions(own: Any, cotangents: tuple[Array, ...]) -> tuple[Array | None, ...]:
    returned = _spread(own.backward, cotangents)
    return tuple(map(as_gradient, as_tuple(returned)))


def _spread(method: Callable[..., Any], values: Sequence[Array]) -> Any:
    """Call with as many arguments as there are values, or with one list of them."""
    try:
        inspect.signature(method).bind(*values)
    except TypeError:
        return method(list(values))
    try:
        return method(*values)
    except (TypeError, IndexError):
        if len(values) != 1:
            raise
        return method(list(values))


def _measured(
    rerun: Callable[[Sequence[Array]], Rerun],
    inputs: Sequence[Array],
    cotangents: tuple[Array, ...],
) -> tuple[Array, ...]:
    """Return the slopes of forward, measured by differences, times the gradient arriving."""

    def weighted(*xs: Variable) -> Variable:
        outputs = rerun([x.data for x in xs]).outputs
        return Variable(sum(np.sum(y * gy) for y, gy in zip(outputs, cotangents, strict=True)))

    return tuple(numerical_jacobian(weighted, *inputs, argnum=i) for i in range(len(inputs)))
