"""Functions: what differentiates, and how a call ties its results to what it was given.

A `Function` that is called on Variables computes with their arrays and ties the result to itself:
the output's ``creator`` is the function, the function's ``inputs`` are the Variables it was given.
Following these links from a result leads back to the leaves; the reverse pass (``reverse.py``) does
so, and is the only place where gradients are made.

The backward methods of functions are written once for two uses. An ordinary pass hands them arrays;
a pass that shall itself be differentiated (``create_graph=True``) hands them Variables, and the
same formula then records itself.
"""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ipygrad.engine import mode
from ipygrad.engine.arrays import Array, as_array, without_axes
from ipygrad.engine.dispatch import implements
from ipygrad.engine.errors import BackwardError, NotCalledError, count
from ipygrad.engine.methods import Axes
from ipygrad.engine.mode import watching
from ipygrad.engine.variable import Constant, Gradient, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable

# With what a file of functions, or one that reads the links, needs beside them.
__all__ = [
    "Array",
    "Axes",
    "Constant",
    "Function",
    "Gradient",
    "Variable",
    "apply",
    "as_array",
    "as_tuple",
    "creator_of",
    "implements",
    "watching",
]


class Function:
    """Base class of everything that can be differentiated.

    A subclass defines ``forward(self, *arrays)``, which returns an array or a tuple of arrays, and
    ``backward(self, *cotangents)``, which takes the gradient arriving at each output and returns
    the contribution to each input (one, or a tuple), of that input's shape: the gradient times the
    local derivative. Calling the object on Variables computes, and remembers `inputs` and
    `outputs`.

    Attributes
    ----------
    inputs : tuple of Variable
        What it was called with; for one input also `input`.
    generation : int
        0 for a function of leaves only, else one more than the highest generation among its inputs'
        creators.
    """

    # They are empty before the first call. _first and _second are the inputs where there are one or
    # two, else _first is a tuple of them. _outputs is a weak reference, or a tuple of them for a
    # function that returns several; it is None until somebody asks for the creator of the one
    # output, without which nobody can reach the function. _output_value is what that output holds,
    # _called_at the time (see `mode`) of the call.
    __slots__ = (
        *("__weakref__", "_called_at", "_first", "_generation"),
        *("_output_value", "_outputs", "_second"),
    )

    _called_at: int
    _first: Any
    _generation: int
    _second: Variable | None
    _output_value: Any
    _outputs: Any
    label: ClassVar[str] = "Function"
    """Its name for people; a subclass that does not say goes by its class name."""
    _is_free: ClassVar[bool] = True
    """Whether a user wrote it: then it is handed arrays only, and what it returns is looked at."""

    def __init_subclass__(cls) -> None:
        if "label" not in cls.__dict__:
            cls.label = cls.__name__
        cls._is_free = not cls.__module__.startswith("ipygrad.engine.")

    def __call__(self, *inputs: Any) -> Any:
        """Compute on Variables (numbers and arrays become constants) and remember how."""
        if self.is_recorded:
            self._leave_earlier_outputs_to_a_copy()
        made = apply(self, *inputs)
        if isinstance(made, Variable):
            _ = made.creator
        return made

    def forward(self, *arrays: Any, **options: Any) -> Any:
        """Compute the output arrays from the input arrays."""
        raise NotImplementedError(
            f"{self.label} has no forward yet: define forward(self, x) and return the result"
        )

    def backward(self, *cotangents: Any, **options: Any) -> Any:
        """Return the contribution to each input, given the gradient arriving at each output."""
        raise NotImplementedError(
            f"{self.label} has no backward yet: define backward(self, gy) and return gy times the "
            "local derivative"
        )

    @property
    def is_recorded(self) -> bool:
        """Whether it has been called (outside `no_grad`) and so knows its inputs."""
        return hasattr(self, "_first")

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """What it was called with."""
        try:
            first = self._first
        except AttributeError:
            raise self._not_called("inputs") from None
        if type(first) is tuple:
            return first
        return (first,) if self._second is None else (first, self._second)

    @inputs.setter
    def inputs(self, inputs: tuple[Variable, ...]) -> None:
        self._hold(inputs)
        self._generation = max([x.generation for x in inputs], default=0)
        self._called_at = mode.time

    def _hold(self, inputs: tuple[Variable, ...]) -> None:
        # Python's garbage collector looks through each container again and again. Without a tuple
        # for each function of one or two inputs it has a third less to do.
        if len(inputs) == 1:
            self._first, self._second = inputs[0], None
        elif len(inputs) == 2:
            self._first, self._second = inputs
        else:
            self._first, self._second = inputs, None

    def _paired(self, returned: Any) -> Iterable[tuple[Variable, Any]]:
        # Each input with what backward returned for it; zip would take twice as long for the few.
        if self._second is not None:
            return (self._first, returned[0]), (self._second, returned[1])
        if type(self._first) is not tuple and type(returned) is not tuple:
            return ((self._first, returned),)
        return zip(self.inputs, as_tuple(returned), strict=True)

    @property
    def generation(self) -> int:
        """Where it stands in the order of the reverse pass."""
        try:
            return self._generation
        except AttributeError:
            raise self._not_called("generation") from None

    @generation.setter
    def generation(self, generation: int) -> None:
        self._generation = generation

    @property
    def outputs(self) -> tuple[Variable | None, ...]:
        """What it made; None stands for an output that nobody holds any more."""
        try:
            references = self._outputs
        except AttributeError:
            raise self._not_called("outputs") from None
        if type(references) is tuple:
            return tuple([output() for output in references])
        return (references(),)

    @outputs.setter
    def outputs(self, outputs: tuple[Variable, ...]) -> None:
        self._called_at = mode.time
        if len(outputs) == 1:
            self._outputs, self._output_value = weakref.ref(outputs[0]), outputs[0]._value
        else:
            self._outputs = tuple([_OutputRef(output) for output in outputs])

    @property
    def input(self) -> Variable:
        """Its input, for a function of one input."""
        if len(self.inputs) != 1:
            raise AttributeError(f"{self.label} has {len(self.inputs)} inputs: use .inputs")
        return self.inputs[0]

    @input.setter  # noqa: A003
    def input(self, variable: Variable) -> None:
        if self._is_linked:
            self._leave_earlier_outputs_to_a_copy()
            del self._outputs
        self.inputs = (variable,)

    @property
    def output(self) -> Variable | None:
        """Its output, for a function of one output; None when nobody holds it any more."""
        outputs = self.outputs
        if len(outputs) != 1:
            raise AttributeError(f"{self.label} has {len(outputs)} outputs: use .outputs")
        return outputs[0]

    @output.setter
    def output(self, variable: Variable) -> None:
        if self._is_linked:
            self._leave_earlier_outputs_to_a_copy()
            del self._first
        self.outputs = (variable,)

    @property
    def _is_linked(self) -> bool:
        # A __call__ that a user wrote assigns input and output, in either order. Where both are
        # there already, the first assignment begins another call.
        return hasattr(self, "_first") and hasattr(self, "_outputs")

    def input_like(self, cotangent: Gradient) -> Any:
        """Return the first input as what `cotangent` is: an array, or a Variable."""
        x = self._first if type(self._first) is not tuple else self._first[0]
        return x if isinstance(cotangent, Variable) else x._value

    def inputs_like(self, cotangent: Gradient) -> Any:
        """Return the inputs as what `cotangent` is: arrays, or Variables."""
        if isinstance(cotangent, Variable):
            return self.inputs
        if self._second is not None:
            return self._first._value, self._second._value
        return [x._value for x in self.inputs]

    def output_like(self, cotangent: Gradient) -> Any:
        """Return the output as what `cotangent` is: an array, or a Variable."""
        if not isinstance(cotangent, Variable):
            return self._output_value
        if self.output is None:
            raise BackwardError(f"the output of {self.label} is gone: keep it in a variable", self)
        return self.output

    def forward_again(self) -> Any:
        """Return what forward makes of the inputs now, called as it was when it was recorded."""
        if self._is_free:
            return self.forward(*[x._array() for x in self.inputs])
        return self.forward(*[without_axes(x._value) for x in self.inputs])

    def _not_called(self, attribute: str) -> NotCalledError:
        name = type(self).__name__
        return NotCalledError(
            f"this {name} has not been called on Variables yet (or only inside no_grad()), so it "
            f"has no {attribute}: call it first, as in y = {name}()(x)"
        )

    def _leave_earlier_outputs_to_a_copy(self) -> None:
        # A(A(x)): the object serves the newest call, and what it made before needs a creator of its
        # own, or the links loop.
        earlier = copy.copy(self)
        for output in self.outputs:
            if output is not None and output._creator is self:
                output._creator = earlier


class _OutputRef(weakref.ref[Variable]):
    """Weak reference to one of several outputs; knows the shape of its gradient when it is gone."""

    __slots__ = ("dtype", "shape")

    def __init__(self, output: Variable) -> None:
        super().__init__(output)  # type: ignore[call-arg]
        self.shape, self.dtype = output.shape, output.dtype

    def __deepcopy__(self, _memo: object) -> _OutputRef:
        return self


def as_tuple(returned: Any) -> tuple[Any, ...]:
    """Return what forward or backward returned as a tuple, whether it was one value or several."""
    return tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)


def apply(function: Function, *inputs: Any) -> Variable:
    """Call a fresh `function` on Variables, numbers and arrays, and record the call.

    Inside `no_grad` nothing is recorded. Numbers and arrays become constants. A function that
    returns several arrays gives a tuple of Variables.
    """
    values = []
    generation = 0
    for x in inputs:
        if not isinstance(x, Variable):
            return apply(function, *[_variable(x, function, inputs) for x in inputs])
        value = x._value
        if type(value) is ndarray and not value.ndim:
            value = value[()]
        values.append(value)
        creator = x._creator
        if creator is not None:
            if not isinstance(creator, Function):
                creator_of(x)
            if creator._generation >= generation:
                generation = creator._generation + 1
    if function._is_free:
        values = [x._array() for x in inputs]
    try:
        # To unpack a list takes as long as many a forward on a number.
        returned = function.forward(values[0]) if len(values) == 1 else function.forward(*values)
    except (ValueError, IndexError, TypeError) as error:
        if function._is_free:
            raise
        raise _named(error, function, inputs) from error
    kind = type(returned)
    if kind is not float64 and (kind is not ndarray or returned.dtype.kind != "f"):
        if isinstance(returned, (tuple, list)):
            return _several(function, inputs, generation, returned)  # type: ignore[no-any-return]
        returned = _value_of(returned, function)
    # Variable(returned) would look at it once more; calls take more time here than the rest.
    y = _blank(Variable)
    y._value = returned
    y._grad = None
    y._by_hand = False
    y._assigned_at = 0
    y._creator = None
    y.name = None
    if mode.recording:
        y._creator = function
        function._hold(inputs)
        function._generation = generation
        function._outputs, function._output_value = None, returned
        function._called_at = mode.time
        if mode.witness is not None:
            mode.witness.noted((y,))
    else:
        y._cut = "no_grad"
    return y


# Looked up for every function, and so without the way through numpy.
_blank, ndarray, float64 = object.__new__, np.ndarray, np.float64


def _several(
    function: Function, inputs: tuple[Variable, ...], generation: int, returned: Any
) -> Any:
    """Do for a function that returned several arrays what `apply` does for one."""
    made = tuple([Variable(_value_of(value, function)) for value in returned])
    if mode.recording:
        for y in made:
            y._creator = function
        function._hold(inputs)
        function._generation = generation
        function.outputs = made
        if mode.witness is not None:
            mode.witness.noted(made)
    else:
        for y in made:
            y._cut = "no_grad"
    return made


def _value_of(returned: Any, function: Function) -> Any:
    """Return what a Variable holds for something that forward returned."""
    if returned is None:
        raise TypeError(f"{function.label}.forward returned None: did you forget 'return y'?")
    return without_axes(as_array(returned, f"What {function.label}.forward returns"))


def _variable(x: Any, function: Function, beside: tuple[Any, ...]) -> Variable:
    """Return a Variable as it is, and what was written into a formula as a constant.

    A bare Python number takes the precision of the variables beside it, so that 2 * x stays float32
    for a float32 x, and an array of integers or booleans follows numpy's rules for two arrays.
    """
    if isinstance(x, Variable):
        return x
    dtypes = [v._value.dtype for v in beside if isinstance(v, Variable)]
    if type(x) in (int, float, bool):
        if not dtypes:
            return Constant(x)
        dtype = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)
        return Constant(dtype.type(x))
    array = np.asarray(x) if isinstance(x, (np.ndarray, np.generic, list, tuple)) else x
    if isinstance(array, np.ndarray) and array.dtype.kind in "iub" and dtypes:
        return Constant(array.astype(np.result_type(array.dtype, *dtypes)))
    return Constant(as_array(array, f"A constant in {function.label}"))


def _named(error: Exception, function: Function, inputs: tuple[Any, ...]) -> Exception:
    """Return numpy's error with the function's name and the shapes of its inputs put before it."""
    shapes = " and ".join(str(x.shape) for x in inputs)
    message = f"{function.label} of {count(len(inputs), 'input')} of shape {shapes}: {error}"
    try:
        return type(error)(message)
    except TypeError:  # some of numpy's errors are made of other things than a message
        return ValueError(message)


def creator_of(variable: Variable) -> Function | None:
    """Return the function that made `variable`, None for a leaf.

    Raises
    ------
    TypeError
        When its creator was set by hand and is no `Function`.
    """
    creator = variable.creator
    if creator is None or isinstance(creator, Function):
        return creator
    raise TypeError(
        f"{variable.name or 'a variable'} was made by a {type(creator).__name__} that is no "
        "ipygrad Function, so the engine cannot run it: derive it, class "
        f"{type(creator).__name__}(Function), and let Function.__call__ make the links"
    )
