"""DeZero's graphs: its variables know their creators, as ours do."""

from __future__ import annotations

import copy
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from dezero.core import Config, Function, Variable, using_config
from dezero.functions import SoftmaxCrossEntropy

from ipygrad.capture.adapters.protocol import Adapter, Rerun, heard
from ipygrad.capture.calls import Call, Calls
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from ipygrad.capture.adapters.protocol import Contributions
    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut


class DeZeroAdapter(Adapter):
    """Reads graphs of ``dezero.Variable``."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        super().__init__(calls)
        self._labels: set[int] = set()

    def handles(self, value: object) -> bool:
        """Tell whether `value` is a variable of DeZero's."""
        return isinstance(value, Variable)

    def creator(self, variable: Any) -> object | None:
        """Return the function that made `variable`."""
        creator: object | None = variable.creator
        return creator

    def inputs(self, function: Any) -> Sequence[Any]:
        """Return the inputs, but for those that stand for "none given" (the bias of a layer)."""
        if isinstance(function, SoftmaxCrossEntropy):
            self._labels.add(id(function.inputs[1]))
        return [x for x in function.inputs if _is_given(x)]

    def outputs(self, function: Any) -> Sequence[Any | None]:
        """Return what its weak references still reach."""
        return [reference() for reference in function.outputs]

    def data(self, variable: Any) -> Array:
        """Return the array; where DeZero has dropped it to save memory, what forward gives."""
        if variable.data is not None or variable.creator is None:
            return np.asarray(variable.data)
        function = variable.creator
        outputs = self.rerun(function, [self.data(x) for x in self.inputs(function)]).outputs
        return outputs[self.outputs(function).index(variable)]

    def label(self, function: Any) -> str:
        """Return the class name, in lower case as its function is called: ``exp``, ``matmul``."""
        is_its_own = type(function).__module__.partition(".")[0] == "dezero"
        name = type(function).__name__
        return name.lower() if is_its_own else name

    def is_constant(self, variable: Any) -> bool:
        """Tell whether `variable` holds the labels that a loss compares with."""
        return id(variable) in self._labels

    def backward(self, function: Any, cotangents: tuple[Array, ...]) -> Contributions:
        """Run its ``backward`` without recording; it reads no gradient and writes none."""
        with using_config("enable_backprop", False):
            returned = function.backward(*map(Variable, cotangents))
        returned = as_tuple(returned)
        missing = len(function.inputs) - len(returned)
        # DeZero takes fewer than there are inputs: the labels of a loss have no gradient.
        gradients = [*returned, *[None] * missing]
        return tuple(
            None if gradient is None else np.asarray(getattr(gradient, "data", gradient))
            for x, gradient in zip(function.inputs, gradients, strict=True)
            if _is_given(x)
        )

    def rerun(self, function: Any, inputs: Sequence[Array]) -> Rerun:
        """Call forward on a copy that is linked to new variables."""
        # Whatever it keeps (the mask of a layer, running averages) is its own, the variables not.
        own = copy.deepcopy(function, {id(x): x for x in function.inputs})
        arrays = iter(inputs)
        own.inputs = [_like(x, next(arrays)) if _is_given(x) else x for x in function.inputs]
        returned = own.forward(*(x.data for x in own.inputs))
        returned = returned if isinstance(returned, tuple) else (returned,)
        outputs = [Variable(np.asarray(y)) for y in returned]
        own.outputs = [weakref.ref(y) for y in outputs]

        def backward(cotangents: tuple[Array, ...]) -> Contributions:
            _ = outputs  # own has weak references to them only
            return self.backward(own, cotangents)

        return Rerun(tuple(y.data for y in outputs), backward)

    def cut(self, variable: Any) -> Cut | None:
        """Tell of variables that were made while recording was off, under ``%%grad``."""
        calls = self.calls
        return "no_grad" if isinstance(calls, Calls) and calls.was_off(variable) else None

    def gradient(self, variable: Any) -> Array | None:
        """Return the gradient, which DeZero keeps in a variable."""
        grad = variable.grad
        return None if grad is None else np.asarray(getattr(grad, "data", grad))

    def start(self, result: Any) -> Array | None:
        """Return the gradient that ``backward`` finds at the result."""
        return self.gradient(result)

    def run_backward(self, result: Any, cotangent: Array) -> None:
        """Run ``result.backward()``, which keeps the gradients of leaves only."""
        result.grad = Variable(cotangent.copy())
        result.backward()

    @contextmanager
    def watching(self, observer: Observer) -> Iterator[None]:
        """Hear of each function that is called, and of ``backward``."""

        def called(_function: object, made: Any, frame: FrameType) -> None:
            # What backward computes with has no history, unless it is to be differentiated again.
            outputs = as_tuple(made)
            if outputs[0].creator is not None:
                observer.noted(outputs, frame)
            elif isinstance(self.calls, Calls) and not Config.enable_backprop:
                self.calls.leave_out(outputs, "it was made while Config.enable_backprop was False")

        def went_back(result: object, _returned: object, _frame: FrameType) -> None:
            observer.ran_backward(result)

        with heard(Function, "__call__", called), heard(Variable, "backward", went_back):
            yield


def _is_given(variable: Any) -> bool:
    return variable.data is not None or variable.creator is not None


def _like(variable: Any, array: Array) -> Any:
    """Return a new variable; whole numbers stay so unless they were moved, they may be indices."""
    dtype = getattr(variable.data, "dtype", array.dtype)
    is_whole = dtype.kind in "iub" and np.array_equal(array, variable.data)
    return Variable(np.asarray(array, dtype if is_whole else array.dtype))
