"""Variables, functions and the reverse pass: all that define-by-run differentiation needs.

A `Function` that is called on Variables computes with their arrays and ties the result to itself:
the output's ``creator`` is the function, the function's ``inputs`` are the Variables it was given.
Following these links from a result leads back to the leaves; `reverse_pass` does so, and is the
only place where gradients are made.

The backward methods of functions are written once for two uses. An ordinary pass hands them arrays;
a pass that shall itself be differentiated (``create_graph=True``) hands them Variables, and the
same formula then records itself.
"""

from __future__ import annotations

import copy
import weakref
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Union, cast

import numpy as np

from ipygrad.engine.arrays import Array, as_array, without_axes
from ipygrad.engine.dispatch import QUESTIONS, dispatch, implementations, implements

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Array",
    "Axes",
    "BackwardError",
    "Constant",
    "Function",
    "Gradient",
    "NotCalledError",
    "Turn",
    "Variable",
    "Witness",
    "accumulate",
    "apply",
    "as_array",
    "creator_of",
    "implements",
    "label_of",
    "no_grad",
    "reverse_pass",
    "starting_cotangent",
    "watching",
]

Gradient = Union[Array, "Variable"]
Axes = int | tuple[int, ...] | None


class BackwardError(RuntimeError):
    """A function's backward did not give what the chain rule needs; the message says which and how.

    Attributes
    ----------
    function
        The function whose turn it was.
    """

    def __init__(self, message: str, function: Function) -> None:
        super().__init__(message)
        self.function = function


class Witness(Protocol):
    """Somebody who is told what a piece of code does with the engine; see `watching`."""

    def called(self, function: Function, outputs: tuple[Variable, ...]) -> None:
        """Hear that a function was called and recorded."""

    def ran_backward(self, result: Variable) -> None:
        """Hear that ``result.backward()`` begins."""

    def assigned_grad(self, variable: Variable) -> None:
        """Hear that a gradient was assigned by hand."""


_recording = True
_witness: Witness | None = None
_being_differentiated: Function | None = None


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: what is made inside has no creator. Also works as a decorator."""
    global _recording
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before


@contextmanager
def watching(witness: Witness) -> Iterator[None]:
    """Tell `witness` what the code inside the block does with the engine."""
    global _witness
    before, _witness = _witness, witness
    try:
        yield
    finally:
        _witness = before


class Variable:
    """An array, where it came from, and how a result depends on it.

    Parameters
    ----------
    data
        A number, a (nested) list of numbers or an array of any shape. Integers and booleans become
        float64; an array of floating-point numbers is kept as it is, not copied.
    name
        How pictures and tables call it. Without one they find the name in the notebook.

    Attributes
    ----------
    creator : Function or None
        The function that made it; None for a leaf.

    Raises
    ------
    TypeError
        For text, None, objects and complex numbers.
    """

    # _value and _grad hold numpy's scalars where the shape is (), until somebody asks for an array.
    __slots__ = ("__weakref__", "_by_hand", "_grad", "_value", "creator", "name")

    creator: Function | None

    def __init__(self, data: object, name: str | None = None) -> None:
        self._value: Any = np.float64(data) if type(data) is float else as_array(data)
        self._grad: Any = None
        self._by_hand = False
        self.creator = None
        self.name = name

    @property
    def data(self) -> Array:
        """The array that it holds; numbers are arrays of shape ``()``."""
        if _being_differentiated is not None:
            raise BackwardError(
                f"{_being_differentiated.label}.backward reads .data, so it cannot be "
                "differentiated again: its second derivative would be wrong. Write it with the "
                "Variables themselves, for example x = self.input and return 2 * x * gy",
                _being_differentiated,
            )
        return self._array()

    @data.setter
    def data(self, data: object) -> None:
        self._value = as_array(data)

    def _array(self) -> Array:
        if type(self._value) is not np.ndarray:
            self._value = np.asarray(self._value)
        return cast("Array", self._value)

    @property
    def grad(self) -> Any:
        """Gradient of a result by this variable, in units of the result per unit of ``data``.

        None until a backward pass has reached it, then an array of the shape of ``data`` (a
        Variable after ``backward(create_graph=True)``). A gradient that is assigned by hand is what
        `backward` starts from.
        """
        if isinstance(self._grad, np.floating):
            self._grad = np.asarray(self._grad)
        return self._grad

    @grad.setter
    def grad(self, grad: object) -> None:
        if grad is None:
            self.cleargrad()
            return
        value = grad if isinstance(grad, Variable) else as_array(grad, "A gradient")
        if value.shape != self.shape:
            raise ValueError(
                f"{self.name or 'the variable'} has data of shape {self.shape}, so its grad needs "
                f"that shape too, but got shape {value.shape}"
            )
        self._grad = value
        self._by_hand = True
        if _witness is not None:
            _witness.assigned_grad(self)

    @property
    def grad_by_hand(self) -> bool:
        """Whether ``grad`` was assigned, rather than left by a backward pass."""
        return self._by_hand

    def cleargrad(self) -> None:
        """Forget the gradient, so that the next pass does not add to it."""
        self._grad = None
        self._by_hand = False

    def set_creator(self, function: Function) -> None:
        """Tie this variable to the function that made it."""
        self.creator = function

    @property
    def generation(self) -> int:
        """0 for a leaf, else one more than its creator's."""
        return 0 if self.creator is None else self.creator.generation + 1

    def backward(self, retain_grad: bool = True, create_graph: bool = False) -> None:
        """Run the reverse pass from here and add what it finds to each ``grad`` on the way.

        The pass starts from ``grad`` where that was assigned by hand, else from ones (for several
        numbers: the gradient of their sum). Only this pass's own gradients travel; those left by an
        earlier pass stay where they are and are added to.

        Parameters
        ----------
        retain_grad
            Keep the gradients of intermediate variables, too; otherwise only leaves get theirs.
        create_graph
            Make the gradients Variables that can be differentiated again.

        Raises
        ------
        ValueError
            On a leaf: there is nothing to go back through.
        BackwardError
            When a function's ``backward`` fails or returns what does not fit. Then no ``grad`` has
            changed.
        """
        if self.creator is None:
            raise ValueError(
                f"{self.name or 'this variable'} has no creator: no recorded function made it, so "
                "there is nothing to go back through. Call backward() on a result, such as "
                "y = square(x)"
            )
        if _witness is not None:
            _witness.ran_backward(self)
        start = starting_cotangent(self)
        gradients: dict[Variable, Gradient] = {}
        for function, _, _ in reverse_pass(self, start, gradients, create_graph):
            if not retain_grad:
                for output in function.outputs:
                    gradients.pop(output, None)  # type: ignore[arg-type]
        if self._by_hand:
            gradients.pop(self, None)
        owned = {id(start)}
        for variable, gradient in gradients.items():
            variable._receive(gradient, owned)

    def receive_grad(self, gradient: Array) -> None:
        """Add a copy of `gradient` to ``grad``, as a backward pass does."""
        self._receive(np.array(gradient), set())

    def _receive(self, gradient: Any, owned: set[int]) -> None:
        """Add to the gradient, and see to it that the array belongs to this variable alone."""
        if self._grad is not None:
            gradient = self._grad + gradient
        elif type(gradient) is np.ndarray:
            # Functions hand back views, or one array for two inputs (add).
            if gradient.base is not None or id(gradient) in owned:
                gradient = gradient.copy()
            owned.add(id(gradient))
        self._grad = gradient
        self._by_hand = False

    def detach(self) -> Variable:
        """Return a leaf that shares the data: what is made of it has no history before here."""
        return Variable(self._array(), self.name)

    def unchain(self) -> None:
        """Forget the creator: from now on this variable is a leaf."""
        self.creator = None

    def unchain_backward(self) -> None:
        """Make leaves of all intermediate variables behind this one, and so free their history.

        Truncated backpropagation through time does so every few steps. The variable itself keeps
        its creator.
        """
        waiting = [] if self.creator is None else [self.creator]
        while waiting:
            for x in waiting.pop().inputs:
                if x.creator is not None:
                    waiting.append(x.creator)
                    x.creator = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in QUESTIONS and method == "__call__" and not options:
            return ufunc(*map(_value_of, inputs))
        return dispatch(ufunc, inputs, options, method)

    def __array_function__(self, function: Any, _types: Any, inputs: Any, options: Any) -> Any:
        if function in QUESTIONS:
            return function(*map(_value_of, inputs), **options)
        return dispatch(function, inputs, options, "__call__")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise TypeError(
            "a Variable does not turn into an array by itself, it would lose its history: use its "
            ".data. Where an array belongs, pass its .data"
        )

    shape = property(lambda self: self._value.shape, doc="Shape of ``data``.")
    ndim = property(lambda self: self._value.ndim, doc="Number of axes of ``data``.")
    size = property(lambda self: self._value.size, doc="Number of elements of ``data``.")
    dtype = property(lambda self: self._value.dtype, doc="Type of the elements of ``data``.")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a Variable of shape () holds one number and has no len()")
        return len(self._value)

    def __iter__(self) -> Iterator[Variable]:
        if not self.ndim:
            raise TypeError("a Variable of shape () holds one number and cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Variable:
        return _call("getitem", self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "the elements of a Variable cannot be assigned, its history would be wrong: make a new "
            "one with np.where or np.concatenate, or change x.data before it is used"
        )

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self._value)

    def __format__(self, specification: str) -> str:
        if not specification:
            return str(self)
        if self.size != 1:
            raise TypeError(
                f"a Variable of shape {self.shape} has no format {specification!r}: format its "
                "elements one by one"
            )
        return format(self._value.item(), specification)

    def item(self) -> float:
        """Return the one number that it holds, as a Python float."""
        if _being_differentiated is not None:
            _ = self.data
        if self.size != 1:
            raise TypeError(
                f"a Variable of shape {self.shape} is not one number: take an element, such as "
                "x[0].item(), or sum it"
            )
        return float(self._value.item())

    def tolist(self) -> Any:
        """Return the numbers that it holds, as (nested) lists of Python floats."""
        return self.data.tolist()

    @property
    def T(self) -> Variable:  # noqa: N802 - numpy's name
        """The axes in reverse order."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Variable:
        """Reorder the axes, ``x.transpose(1, 0)`` or ``x.transpose((1, 0))``; reverse for none."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return _call(np.transpose, self, order)

    def reshape(self, *shape: Any) -> Variable:
        """Return the elements in another shape, ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
        return _call(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Variable:
        """Return the elements in a row; see `numpy.ravel`."""
        return _call(np.ravel, self)

    flatten = ravel

    def squeeze(self, axis: Axes = None) -> Variable:
        """Drop axes of length 1; see `numpy.squeeze`."""
        return _call(np.squeeze, self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Variable:
        """Exchange two axes; see `numpy.swapaxes`."""
        return _call(np.swapaxes, self, axis1, axis2)

    def astype(self, dtype: Any) -> Variable:
        """Return the numbers in another floating-point type; gradients come back in this one."""
        return _call("astype", self, dtype)

    def dot(self, other: Any) -> Variable:
        """Return numpy's dot product with another; see `numpy.dot`."""
        return _call(np.dot, self, other)

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Sum over `axis` (all of them for None); see `numpy.sum`."""
        return _call(np.sum, self, axis, keepdims)

    def prod(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Multiply over `axis` (all of them for None); see `numpy.prod`."""
        return _call(np.prod, self, axis, keepdims)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Average over `axis` (all of them for None); see `numpy.mean`."""
        return _call(np.mean, self, axis, keepdims)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Largest element over `axis` (all of them for None); see `numpy.max`."""
        return _call(np.max, self, axis, keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Smallest element over `axis` (all of them for None); see `numpy.min`."""
        return _call(np.min, self, axis, keepdims)

    def var(self, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
        """Variance over `axis` (all of them for None); see `numpy.var`."""
        return _call(np.var, self, axis, ddof, keepdims)

    def std(self, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
        """Return the standard deviation over `axis` (of all for None); see `numpy.std`."""
        return _call(np.std, self, axis, ddof, keepdims)

    def cumsum(self, axis: int | None = None) -> Variable:
        """Return the running sum along `axis` (in a row for None); see `numpy.cumsum`."""
        return _call(np.cumsum, self, axis)

    def clip(self, min: Any = None, max: Any = None) -> Variable:  # noqa: A002 - numpy's names
        """Limit each element to the range from `min` to `max`; see `numpy.clip`."""
        return _call(np.clip, self, min, max)

    def __repr__(self) -> str:
        value = np.array2string(self._array(), separator=", ", threshold=20, prefix="Variable(")
        if not self.ndim:
            value = repr(self._value.item())
        name = "" if self.name is None else f", name={self.name!r}"
        made = "" if self.creator is None else f", made by {label_of(self.creator)}"
        return f"Variable({value}{name}{made})"

    def __lt__(self, other: Any) -> Any:
        return self._value < _value_of(other)

    def __le__(self, other: Any) -> Any:
        return self._value <= _value_of(other)

    def __gt__(self, other: Any) -> Any:
        return self._value > _value_of(other)

    def __ge__(self, other: Any) -> Any:
        return self._value >= _value_of(other)

    def __pos__(self) -> Variable:
        return self

    def __neg__(self) -> Variable:
        return _call(np.negative, self)

    def __abs__(self) -> Variable:
        return _call(np.abs, self)

    def __add__(self, other: Any) -> Variable:
        return implementations[np.add](self, other)

    def __radd__(self, other: Any) -> Variable:
        return implementations[np.add](other, self)

    def __sub__(self, other: Any) -> Variable:
        return implementations[np.subtract](self, other)

    def __rsub__(self, other: Any) -> Variable:
        return implementations[np.subtract](other, self)

    def __mul__(self, other: Any) -> Variable:
        return implementations[np.multiply](self, other)

    def __rmul__(self, other: Any) -> Variable:
        return implementations[np.multiply](other, self)

    def __truediv__(self, other: Any) -> Variable:
        return implementations[np.divide](self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return implementations[np.divide](other, self)

    def __pow__(self, other: Any) -> Variable:
        return implementations[np.power](self, other)

    def __rpow__(self, other: Any) -> Variable:
        return implementations[np.power](other, self)

    def __matmul__(self, other: Any) -> Variable:
        return implementations[np.matmul](self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return implementations[np.matmul](other, self)


class Constant(Variable):
    """A number or array written into a formula (``2 * x``): a leaf that keeps no gradient."""

    __slots__ = ()


def _call(function: Any, *inputs: Any) -> Variable:
    """Call what the functions' files have registered under a name of numpy's."""
    y: Variable = implementations[function](*inputs)
    return y


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

    # _outputs: a weak reference, or a tuple of them from a function that returns several.
    __slots__ = ("__weakref__", "_outputs", "generation", "inputs")

    inputs: tuple[Variable, ...]
    generation: int
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
        return apply(self, *inputs)

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
        try:
            return bool(self.inputs)
        except NotCalledError:
            return False

    def __getattr__(self, name: str) -> Any:
        # Slots are empty before the first call.
        if name in ("inputs", "_outputs", "generation"):
            raise NotCalledError(
                f"this {type(self).__name__} has not been called on Variables yet (or only inside "
                f"no_grad()), so it has no {name.strip('_')}: call it first, as in "
                f"y = {type(self).__name__}()(x)"
            )
        member = getattr(type(self), name, None)
        if isinstance(member, property):
            # Python asks here, too, when a property has raised AttributeError, and forgets why.
            return member.__get__(self)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def outputs(self) -> tuple[Variable | None, ...]:
        """What it made; None stands for an output that nobody holds any more."""
        references = self._outputs
        if type(references) is tuple:
            return tuple([output() for output in references])
        return (references(),)

    @outputs.setter
    def outputs(self, outputs: tuple[Variable, ...]) -> None:
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
        self.generation = variable.generation

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
            del self.inputs
        self.outputs = (variable,)

    @property
    def _is_linked(self) -> bool:
        # A __call__ that a user wrote assigns input and output, in either order. Where both are
        # there already, the first assignment begins another call.
        return hasattr(self, "inputs") and hasattr(self, "_outputs")

    def input_like(self, cotangent: Gradient) -> Any:
        """Return the first input as what `cotangent` is: an array, or a Variable."""
        x = self.inputs[0]
        return x if isinstance(cotangent, Variable) else x._value

    def inputs_like(self, cotangent: Gradient) -> Any:
        """Return the inputs as what `cotangent` is: arrays, or Variables."""
        if isinstance(cotangent, Variable):
            return self.inputs
        return [x._value for x in self.inputs]

    def output_like(self, cotangent: Gradient) -> Any:
        """Return the output as what `cotangent` is: an array, or a Variable."""
        references = self._outputs
        output = references[0]() if type(references) is tuple else references()
        if output is None:
            raise BackwardError(f"the output of {self.label} is gone: keep it in a variable", self)
        return output if isinstance(cotangent, Variable) else output._value

    def forward_again(self) -> Any:
        """Return what forward makes of the inputs now, called as it was when it was recorded."""
        if self._is_free:
            return self.forward(*[x._array() for x in self.inputs])
        return self.forward(*[without_axes(x._value) for x in self.inputs])

    def _leave_earlier_outputs_to_a_copy(self) -> None:
        # A(A(x)): the object serves the newest call, and what it made before needs a creator of its
        # own, or the links loop.
        earlier = copy.copy(self)
        for output in self.outputs:
            if output is not None and output.creator is self:
                output.creator = earlier


class _OutputRef(weakref.ref[Variable]):
    """Weak reference to one of several outputs; knows the shape of its gradient when it is gone."""

    __slots__ = ("dtype", "shape")

    def __init__(self, output: Variable) -> None:
        super().__init__(output)  # type: ignore[call-arg]
        self.shape, self.dtype = output.shape, output.dtype

    def __deepcopy__(self, _memo: object) -> _OutputRef:
        return self


class NotCalledError(AttributeError):
    """A function was asked for what only a call on Variables gives it."""


def as_tuple(returned: Any) -> tuple[Any, ...]:
    """Return what forward or backward returned as a tuple, whether it was one value or several."""
    return tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)


def label_of(function: object) -> str:
    """Return a function's name for people, also for an object that is no `Function`."""
    return function.label if isinstance(function, Function) else type(function).__name__


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
        creator = x.creator
        if creator is not None:
            if not isinstance(creator, Function):
                creator_of(x)
            if creator.generation >= generation:
                generation = creator.generation + 1
    if function._is_free:
        returned = function.forward(*[x._array() for x in inputs])
    else:
        try:
            returned = function.forward(*values)
        except (ValueError, IndexError, TypeError) as error:
            raise _named(error, function, inputs) from error
    if not isinstance(returned, (tuple, list)):
        y = _new_variable(returned, function)
        if _recording:
            function.inputs = inputs
            function.generation = generation
            function._outputs = weakref.ref(y)
            y.creator = function
            if _witness is not None:
                _witness.called(function, (y,))
        return y
    outputs = tuple([_new_variable(y, function) for y in returned])
    if _recording:
        function.inputs = inputs
        function.generation = generation
        function.outputs = outputs
        for y in outputs:
            y.creator = function
        if _witness is not None:
            _witness.called(function, outputs)
    return outputs  # type: ignore[return-value]


def _new_variable(value: Any, function: Function) -> Variable:
    y = _blank(Variable)
    if type(value) is float64 or (type(value) is ndarray and value.dtype.kind == "f"):
        y._value = value
    elif value is None:
        raise TypeError(f"{function.label}.forward returned None: did you forget 'return y'?")
    else:
        y._value = without_axes(as_array(value, f"What {function.label}.forward returns"))
    y._grad = None
    y._by_hand = False
    y.creator = None
    y.name = None
    return y


# Looked up for every function, and so without the way through numpy.
_blank, ndarray, float64 = object.__new__, np.ndarray, np.float64


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
        constant = Constant.__new__(Constant)
        constant._value = dtype.type(x)
        constant._grad, constant._by_hand = None, False
        constant.creator, constant.name = None, None
        return constant
    array = np.asarray(x) if isinstance(x, (np.ndarray, np.generic, list, tuple)) else x
    if isinstance(array, np.ndarray) and array.dtype.kind in "iub" and dtypes:
        return Constant(array.astype(np.result_type(array.dtype, *dtypes)))
    return Constant(as_array(array, f"A constant in {function.label}"))


def _named(error: Exception, function: Function, inputs: tuple[Any, ...]) -> Exception:
    """Return numpy's error with the function's name and the shapes of its inputs put before it."""
    shapes = " and ".join(str(x.shape) for x in inputs)
    message = f"{function.label} of {_count(len(inputs), 'input')} of shape {shapes}: {error}"
    try:
        return type(error)(message)
    except TypeError:  # some of numpy's errors are made of other things than a message
        return ValueError(message)


def accumulate(before: Gradient | None, contribution: Gradient) -> Gradient:
    """Return the gradient after one more contribution has arrived; None stands for "none yet"."""
    return contribution if before is None else before + contribution


def starting_cotangent(result: Variable) -> Array:
    """Return what a reverse pass from `result` starts with: a hand-assigned gradient, else ones."""
    if result.grad_by_hand:
        return np.asarray(_value_of(result._grad), result.dtype)
    return np.ones(result.shape, result.dtype)


Turn = tuple[Function, tuple[Gradient, ...], tuple[Gradient | None, ...]]
"""One function's turn in a reverse pass: the function; the gradient arriving, one for each output
(zeros where nothing came); what it adds, one for each input (None for a constant)."""


def reverse_pass(
    result: Variable,
    cotangent: Array,
    gradients: dict[Variable, Gradient],
    create_graph: bool = False,
) -> Iterator[Turn]:
    """Go back from `result`, one function at a time, and yield each turn after it was taken.

    A function takes its turn when every gradient that it waits for has arrived. That is so once no
    function of a higher generation is left, so a heap of generations gives the order, in O(n log n)
    for n functions and without recursion; within a generation, the first that was reached is first.
    No variable's ``grad`` is read or written.

    Parameters
    ----------
    result
        Where to start.
    cotangent
        Gradient of the final scalar with respect to `result`, of its shape.
    gradients
        An empty dict, filled on the way: the gradient of each variable reached so far. Numbers are
        numpy's scalars in it. What has had its turn may be taken out.
    create_graph
        Hand Variables to the backward methods, so that the gradients can be differentiated again.

    Raises
    ------
    BackwardError
        When a function's ``backward`` raises, or returns what does not fit its inputs.
    """
    gradients[result] = Variable(cotangent) if create_graph else without_axes(cotangent)
    last = creator_of(result)
    waiting = {} if last is None else {last.generation: [last]}
    generations = [-generation for generation in waiting]
    # A function of several outputs can be reached through each of them.
    queued = {id(last)}
    while generations:
        for function in waiting.pop(-heappop(generations)):
            outputs = function._outputs
            cotangents: tuple[Gradient, ...]
            if type(outputs) is tuple:
                cotangents = tuple([_arriving(y, gradients, create_graph) for y in outputs])
            else:
                cotangents = (gradients[outputs()],)
            contributions = _run_backward(function, cotangents, create_graph)
            for x, contribution in zip(function.inputs, contributions):  # noqa: B905 - counted
                if contribution is None:
                    continue
                if x in gradients:
                    gradients[x] = gradients[x] + contribution
                    continue
                gradients[x] = contribution
                creator = x.creator
                if creator is None:
                    continue
                if not isinstance(creator, Function):
                    creator_of(x)
                if type(creator._outputs) is tuple:
                    if id(creator) in queued:
                        continue
                    queued.add(id(creator))
                generation = creator.generation
                if generation in waiting:
                    waiting[generation].append(creator)
                else:
                    waiting[generation] = [creator]
                    heappush(generations, -generation)
            yield function, cotangents, contributions


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


def _arriving(
    reference: _OutputRef, gradients: dict[Variable, Gradient], create_graph: bool
) -> Gradient:
    output = reference()
    arrived = None if output is None else gradients.get(output)
    if arrived is not None:
        return arrived
    # One of several outputs that played no part in the result, or was dropped: zero.
    zeros = np.zeros(reference.shape, reference.dtype)
    return Variable(zeros) if create_graph else zeros


def _run_backward(function: Function, cotangents: tuple[Gradient, ...], create_graph: bool) -> Any:
    """Return a function's contributions, each of the shape and type of its input."""
    global _being_differentiated
    is_ours = not (create_graph or function._is_free)
    try:
        if create_graph:
            if function._is_free:
                _refuse_remembered_values(function)
            _being_differentiated = function
        elif not is_ours:
            # A user's backward may write `gy *= 2`, which would change the output's own gradient.
            cotangents = tuple([_read_only(cotangent) for cotangent in cotangents])
        returned = function.backward(*cotangents)
    except BackwardError:
        raise
    except Exception as error:
        raise BackwardError(
            f"{function.label}.backward raised {type(error).__name__}: {error}", function
        ) from error
    finally:
        _being_differentiated = None
    inputs = function.inputs
    if not isinstance(returned, (tuple, list)):
        returned = (returned,)
    if len(returned) != len(inputs):
        raise BackwardError(
            f"{function.label}.backward returned {_count(len(returned), 'contribution')} for "
            f"{_count(len(inputs), 'input')}: return one for each input",
            function,
        )
    contributions: list[Any] = []
    for x, gx in zip(inputs, returned):  # noqa: B905 - counted just now
        value, kind = x._value, type(gx)
        if type(x) is Constant:
            gx = None
        elif not (
            is_ours
            and (kind is float64 or kind is ndarray)
            and (kind is type(value) is float64 or _is_like(gx, value))
        ):
            gx = _checked(gx, x, len(contributions), function, create_graph)
        contributions.append(gx)
    return tuple(contributions)


def _is_like(gradient: Array, value: Array) -> bool:
    return gradient.shape == value.shape and gradient.dtype is value.dtype


def _read_only(cotangent: Any) -> Array:
    view: Array = np.asarray(cotangent)[...]
    view.flags.writeable = False
    return view


def _checked(
    contribution: Any, variable: Variable, number: int, function: Function, create_graph: bool
) -> Any:
    """Return `contribution` if it fits `variable`, the input of that number, else raise."""
    which = f" for input {number + 1}" if len(function.inputs) > 1 else ""
    if contribution is None:
        raise BackwardError(
            f"{function.label}.backward returned None{which}: did you forget 'return gx'?", function
        )
    gradient: Any = contribution
    if not isinstance(contribution, Variable):
        try:
            gradient = as_array(contribution, f"What {function.label}.backward returns{which}")
        except TypeError as error:
            raise BackwardError(str(error), function) from error
    elif not create_graph:
        gradient = contribution._value
    if gradient.shape != variable.shape:
        raise BackwardError(
            f"{function.label}.backward returned shape {gradient.shape}{which}, but that input has "
            f"shape {variable.shape}: a contribution has the shape of its input",
            function,
        )
    if gradient.dtype != variable.dtype:
        gradient = gradient.astype(variable.dtype)
    if create_graph:
        return gradient if isinstance(gradient, Variable) else Variable(gradient)
    if function._is_free and gradient.base is None:
        # It may be kept on the function, or be the very data of a variable.
        gradient = gradient.copy()
    return without_axes(gradient)


def _refuse_remembered_values(function: Function) -> None:
    """Raise when backward may use values that forward left on the function, without history.

    Forward runs again, on a copy and on copies of the inputs: what it makes or passes on is then
    another object than before, what was given at creation is the same.
    """
    remembered = {k: v for k, v in getattr(function, "__dict__", {}).items() if _may_vary(v)}
    if not remembered:
        return
    again = copy.copy(function)
    again.forward(*[x._array().copy() for x in function.inputs])
    for name, value in remembered.items():
        if getattr(again, name) is not value:
            raise BackwardError(
                f"{function.label}.forward keeps self.{name} for its backward, so it cannot be "
                "differentiated again: its second derivative would be wrong. Let backward start "
                "from self.input and self.output instead",
                function,
            )


def _may_vary(value: object) -> bool:
    """Tell whether `value` holds numbers that vary with the inputs, as shapes and masks do not."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fcO"
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return any(map(_may_vary, value))
    return isinstance(value, (float, np.floating, Variable))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _value_of(value: Any) -> Any:
    return value._value if isinstance(value, Variable) else value
