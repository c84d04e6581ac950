"""Variables, functions and the reverse pass: all that define-by-run differentiation needs.

A `Function` that is called on Variables computes with their arrays and ties the result to itself:
the output's ``creator`` is the function, the function's ``inputs`` are the Variables it was given.
Following these links from a result leads back to the leaves; `reverse_pass` does so, and is the
only place where gradients are made.

The backward methods here are written once for two uses. An ordinary pass hands them arrays; a pass
that shall itself be differentiated (``create_graph=True``) hands them Variables, and the same
formula then records itself.
"""

from __future__ import annotations

import copy
import weakref
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar, Union, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Array = np.ndarray[Any, np.dtype[Any]]
Gradient = Union[Array, "Variable"]
F = TypeVar("F", bound="Callable[..., Any]")


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


def as_array(data: object, what: str = "Variable") -> Array:
    """Return `data` as an array of floating-point numbers; integers and booleans become float64.

    Raises
    ------
    TypeError
        For anything without a derivative: text, None, objects, complex numbers. `what` begins the
        sentence.
    """
    if type(data) is not np.ndarray:
        if isinstance(data, Variable):
            raise TypeError(f"{what} got a Variable where an array belongs: pass its .data")
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise TypeError(
                f"{what} holds numbers in a rectangular array, but this {type(data).__name__} has "
                "rows of different lengths: make them equally long, or use one Variable for each"
            ) from error
    kind = data.dtype.kind
    if kind == "f":
        return data
    if kind in "iub":
        return data.astype(np.float64)
    found = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "Python objects or None"}
    raise TypeError(
        f"{what} holds real numbers, but got {found.get(kind, data.dtype.name)}"
        f"{f': {data.item()!r}' if data.ndim == 0 else ''}. "
        "Pass a number, a list of numbers or a numpy array of numbers, such as np.array(0.5)"
    )


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

    __slots__ = ("__weakref__", "_data", "_grad", "_grad_by_hand", "creator", "name")

    def __init__(self, data: object, name: str | None = None) -> None:
        self._data = as_array(data)
        self._grad: Gradient | None = None
        self._grad_by_hand = False
        self.creator: Function | None = None
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
        return self._data

    @data.setter
    def data(self, data: object) -> None:
        self._data = as_array(data)

    @property
    def grad(self) -> Any:
        """Gradient of a result by this variable, in units of the result per unit of ``data``.

        None until a backward pass has reached it, then an array of the shape of ``data`` (a
        Variable after ``backward(create_graph=True)``). A gradient that is assigned by hand is what
        `backward` starts from.
        """
        return self._grad

    @grad.setter
    def grad(self, grad: object) -> None:
        if grad is None:
            self.cleargrad()
            return
        value = grad if isinstance(grad, Variable) else as_array(grad, "A gradient")
        if value.shape != self._data.shape:
            raise ValueError(
                f"{self.name or 'the variable'} has data of shape {self._data.shape}, so its grad "
                f"needs that shape too, but got shape {value.shape}"
            )
        self._grad = value
        self._grad_by_hand = True
        if _witness is not None:
            _witness.assigned_grad(self)

    @property
    def grad_by_hand(self) -> bool:
        """Whether ``grad`` was assigned, rather than left by a backward pass."""
        return self._grad_by_hand

    def cleargrad(self) -> None:
        """Forget the gradient, so that the next pass does not add to it."""
        self._grad = None
        self._grad_by_hand = False

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
        gradients: dict[Variable, Gradient] = {}
        for _ in reverse_pass(self, starting_cotangent(self), gradients, create_graph):
            pass
        if self._grad_by_hand:
            del gradients[self]
        for variable, gradient in gradients.items():
            if retain_grad or variable.creator is None:
                variable.receive_grad(gradient)

    def receive_grad(self, gradient: Gradient) -> None:
        """Add `gradient` to ``grad``, as a backward pass does."""
        total = accumulate(self._grad, gradient)
        # What functions hand back may be a view, an array of somebody else's, or one array for two
        # inputs (add copies): each grad owns its memory.
        self._grad = total if isinstance(total, Variable) else np.array(total)
        self._grad_by_hand = False

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            raise TypeError(
                f"np.{ufunc.__name__}.{method} has no derivative here: use np.sum, or operators"
            )
        if ufunc in _comparisons and not options:
            return ufunc(*(x._data if isinstance(x, Variable) else x for x in inputs))
        return _dispatch(ufunc, inputs, options)

    def __array_function__(self, function: Any, _types: Any, inputs: Any, options: Any) -> Any:
        return _dispatch(function, inputs, options)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise TypeError(
            "a Variable does not turn into an array by itself, it would lose its history: "
            "use its .data"
        )

    shape = property(lambda self: self._data.shape, doc="Shape of ``data``.")
    ndim = property(lambda self: self._data.ndim, doc="Number of axes of ``data``.")
    size = property(lambda self: self._data.size, doc="Number of elements of ``data``.")
    dtype = property(lambda self: self._data.dtype, doc="Type of the elements of ``data``.")

    def __len__(self) -> int:
        return len(self._data)

    def __float__(self) -> float:
        return float(self.data)

    def __bool__(self) -> bool:
        return bool(self._data)

    def item(self) -> float:
        """Return the one number that it holds, as a Python float."""
        return float(self.data.item())

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Variable:
        """Sum over `axis` (all of them for None); see `numpy.sum`."""
        return cast("Variable", np.sum(self, axis=axis, keepdims=keepdims))

    def __repr__(self) -> str:
        value = np.array2string(self._data, separator=", ", threshold=20, prefix="Variable(")
        if self._data.ndim == 0:
            value = repr(self._data.item())
        name = "" if self.name is None else f", name={self.name!r}"
        made = (
            ""
            if self.creator is None
            else f", made by {getattr(self.creator, 'label', type(self.creator).__name__)}"
        )
        return f"Variable({value}{name}{made})"

    def __lt__(self, other: Any) -> Any:
        return self._data < _data_of(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= _data_of(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > _data_of(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= _data_of(other)

    def __pos__(self) -> Variable:
        return self

    def __neg__(self) -> Variable:
        return negative(self)

    def __add__(self, other: Any) -> Variable:
        return add(self, other)

    def __radd__(self, other: Any) -> Variable:
        return add(other, self)

    def __sub__(self, other: Any) -> Variable:
        return subtract(self, other)

    def __rsub__(self, other: Any) -> Variable:
        return subtract(other, self)

    def __mul__(self, other: Any) -> Variable:
        return multiply(self, other)

    def __rmul__(self, other: Any) -> Variable:
        return multiply(other, self)

    def __truediv__(self, other: Any) -> Variable:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return divide(other, self)

    def __pow__(self, other: Any) -> Variable:
        return power(self, other)

    def __rpow__(self, other: Any) -> Variable:
        return power(other, self)


class Constant(Variable):
    """A number or array written into a formula (``2 * x``): a leaf that keeps no gradient."""

    __slots__ = ()


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

    __slots__ = ("__weakref__", "_outputs", "generation", "inputs")

    inputs: tuple[Variable, ...]
    generation: int
    _outputs: tuple[weakref.ref[Variable], ...]
    label: ClassVar[str] = "Function"
    """Its name for people; a subclass that does not say goes by its class name."""

    def __init_subclass__(cls) -> None:
        if "label" not in cls.__dict__:
            cls.label = cls.__name__

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
        return tuple(output() for output in self._outputs)

    @outputs.setter
    def outputs(self, outputs: tuple[Variable, ...]) -> None:
        self._outputs = tuple(weakref.ref(output) for output in outputs)

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
        if len(self._outputs) != 1:
            raise AttributeError(f"{self.label} has {len(self._outputs)} outputs: use .outputs")
        return self._outputs[0]()

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

    def inputs_like(self, cotangent: Gradient) -> Any:
        """Return the inputs as what `cotangent` is: arrays, or Variables."""
        if isinstance(cotangent, Variable):
            return self.inputs
        return tuple([x._data for x in self.inputs])

    def output_like(self, cotangent: Gradient) -> Any:
        """Return the output as what `cotangent` is: an array, or a Variable."""
        output = self._outputs[0]()
        if output is None:
            raise BackwardError(f"the output of {self.label} is gone: keep it in a variable", self)
        return output if isinstance(cotangent, Variable) else output._data

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
        self.shape, self.dtype = output._data.shape, output._data.dtype


class NotCalledError(AttributeError):
    """A function was asked for what only a call on Variables gives it."""


def as_tuple(returned: Any) -> tuple[Any, ...]:
    """Return what forward or backward returned as a tuple, whether it was one value or several."""
    return tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)


def apply(function: Function, *inputs: Any) -> Any:
    """Call a fresh `function` on Variables, numbers and arrays, and record the call.

    Inside `no_grad` nothing is recorded. Numbers and arrays become constants.
    """
    variables = tuple([x if isinstance(x, Variable) else _constant(x, inputs) for x in inputs])
    returned = function.forward(*[x._data for x in variables])
    several = isinstance(returned, (tuple, list))
    outputs = tuple([_new_variable(y, function) for y in as_tuple(returned)])
    if _recording:
        generation = 0
        for x in variables:
            creator = creator_of(x)
            if creator is not None and creator.generation >= generation:
                generation = creator.generation + 1
        function.inputs = variables
        function.generation = generation
        function._outputs = tuple([(_OutputRef if several else weakref.ref)(y) for y in outputs])
        for y in outputs:
            y.creator = function
        if _witness is not None:
            _witness.called(function, outputs)
    return outputs if several else outputs[0]


def _new_variable(data: Any, function: Function) -> Variable:
    if type(data) is np.float64:  # what numpy makes of two 0-d arrays
        return Variable(np.asarray(data))
    if type(data) is np.ndarray and data.dtype.kind == "f":
        return Variable(data)
    if data is None:
        raise TypeError(f"{function.label}.forward returned None: did you forget 'return y'?")
    return Variable(as_array(data, f"What {function.label}.forward returns"))


def _constant(value: Any, beside: tuple[Any, ...]) -> Constant:
    # A bare Python number takes the precision of the variables beside it, so that 2 * x stays
    # float32 for a float32 x.
    if type(value) in (int, float, bool):
        dtypes = [x._data.dtype for x in beside if isinstance(x, Variable)]
        return Constant(np.array(value, np.result_type(*dtypes) if dtypes else np.float64))
    return Constant(value)


def accumulate(before: Gradient | None, contribution: Gradient) -> Gradient:
    """Return the gradient after one more contribution has arrived; None stands for "none yet"."""
    return contribution if before is None else before + contribution


def starting_cotangent(result: Variable) -> Array:
    """Return what a reverse pass from `result` starts with: a hand-assigned gradient, else ones."""
    if result.grad_by_hand:
        return np.asarray(_data_of(result._grad), result._data.dtype)
    return np.ones_like(result._data)


class Turn(NamedTuple):
    """One function's turn in a reverse pass."""

    function: Function
    cotangents: tuple[Gradient, ...]
    """The gradient arriving, one for each output (zeros where nothing came)."""
    contributions: tuple[Gradient | None, ...]
    """What it adds, one for each input; None for a constant."""


def reverse_pass(
    result: Variable,
    cotangent: Array,
    gradients: dict[Variable, Gradient],
    create_graph: bool = False,
) -> Iterator[Turn]:
    """Go back from `result`, one function at a time, and yield each turn after it was taken.

    A function takes its turn when every gradient that it waits for has arrived. That is so once no
    function of a higher generation is left, so a heap ordered by generation gives the order, in O(n
    log n) for n functions and without recursion. No variable's ``grad`` is read or written.

    Parameters
    ----------
    result
        Where to start.
    cotangent
        Gradient of the final scalar with respect to `result`, of its shape.
    gradients
        An empty dict, filled on the way: the gradient of each variable reached so far.
    create_graph
        Hand Variables to the backward methods, so that the gradients can be differentiated again.

    Raises
    ------
    BackwardError
        When a function's ``backward`` raises, or returns what does not fit its inputs.
    """
    gradients[result] = Variable(cotangent) if create_graph else cotangent
    waiting: list[tuple[int, int, Function]] = []
    queued: set[int] = set()

    def queue(variable: Variable) -> None:
        function = creator_of(variable)
        if function is not None and id(function) not in queued:
            queued.add(id(function))
            heappush(waiting, (-function.generation, len(queued), function))

    queue(result)
    while waiting:
        function = heappop(waiting)[2]
        cotangents = tuple([_arriving(y, gradients, create_graph) for y in function._outputs])
        contributions = _run_backward(function, cotangents, create_graph)
        for x, contribution in zip(function.inputs, contributions, strict=True):
            if contribution is not None:
                before = gradients.get(x)
                gradients[x] = accumulate(before, contribution)
                if before is None:
                    queue(x)
        yield Turn(function, cotangents, contributions)


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
    reference: weakref.ref[Variable], gradients: dict[Variable, Gradient], create_graph: bool
) -> Gradient:
    output = reference()
    arrived = None if output is None else gradients.get(output)
    if arrived is not None:
        return arrived
    # One of several outputs that played no part in the result, or was dropped: zero.
    like = reference if isinstance(reference, _OutputRef) else output
    zeros = np.zeros(like.shape, like.dtype)  # type: ignore[union-attr]
    return Variable(zeros) if create_graph else zeros


def _run_backward(
    function: Function, cotangents: tuple[Gradient, ...], create_graph: bool
) -> tuple[Gradient | None, ...]:
    global _being_differentiated
    try:
        if create_graph:
            _refuse_remembered_values(function)
            _being_differentiated = function
        elif hasattr(function, "__dict__"):
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
    contributions = as_tuple(returned)
    if len(contributions) != len(function.inputs):
        raise BackwardError(
            f"{function.label}.backward returned {_count(len(contributions), 'contribution')} for "
            f"{_count(len(function.inputs), 'input')}: return one for each input",
            function,
        )
    return tuple(
        [
            None if type(x) is Constant else _checked(gx, x, number, function, create_graph)
            for number, (x, gx) in enumerate(zip(function.inputs, contributions, strict=True))
        ]
    )


def _read_only(cotangent: Gradient) -> Gradient:
    view = cast("Array", cotangent)[...]
    view.flags.writeable = False
    return view


def _checked(
    contribution: Any, variable: Variable, number: int, function: Function, create_graph: bool
) -> Gradient:
    """Return `contribution` if it fits `variable`, the input of that number, else raise."""
    if type(contribution) is np.float64 and not create_graph and variable._data.ndim == 0:
        return contribution  # type: ignore[return-value]  # as good as an array, and quicker
    which = f" for input {number + 1}" if len(function.inputs) > 1 else ""
    if contribution is None:
        raise BackwardError(
            f"{function.label}.backward returned None{which}: did you forget 'return gx'?", function
        )
    gradient: Any
    if isinstance(contribution, Variable):
        gradient = contribution if create_graph else contribution._data
    else:
        try:
            array = as_array(contribution, f"What {function.label}.backward returns{which}")
        except TypeError as error:
            raise BackwardError(str(error), function) from error
        gradient = Variable(array) if create_graph else array
    if gradient.shape != variable._data.shape:
        raise BackwardError(
            f"{function.label}.backward returned shape {gradient.shape}{which}, but that input has "
            f"shape {variable._data.shape}: a contribution has the shape of its input",
            function,
        )
    return cast("Gradient", gradient)


def _refuse_remembered_values(function: Function) -> None:
    """Raise when backward may use values that forward left on the function, without history.

    Forward runs again, on a copy and on copies of the inputs: what it makes or passes on is then
    another object than before, what was given at creation is the same.
    """
    remembered = {k: v for k, v in getattr(function, "__dict__", {}).items() if _may_vary(v)}
    if not remembered:
        return
    again = copy.copy(function)
    again.forward(*[x._data.copy() for x in function.inputs])
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


def _data_of(value: Any) -> Any:
    return value._data if isinstance(value, Variable) else value


# --- numpy's own functions on Variables ---

_implementations: dict[Any, Callable[..., Any]] = {}
_comparisons = (np.less, np.less_equal, np.greater, np.greater_equal)


def implements(*numpy_functions: Any) -> Callable[[F], F]:
    """Register the decorated function as what numpy's function does on Variables."""

    def register(function: F) -> F:
        for numpy_function in numpy_functions:
            _implementations[numpy_function] = function
        return function

    return register


def _dispatch(numpy_function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    module = getattr(numpy_function, "__module__", None) or "numpy"
    name = f"np{module.removeprefix('numpy')}.{numpy_function.__name__}"
    implementation = _implementations.get(numpy_function)
    if implementation is None:
        raise TypeError(
            f"{name} has no derivative here. Use a function of ipygrad, write a Function of your "
            "own, or compute on x.data (which keeps no history)"
        )
    for option in ("out", "where", "dtype", "initial"):
        if option in options:
            raise TypeError(f"{name} with {option}= has no derivative here: leave {option}= out")
    return implementation(*inputs, **options)


# --- arithmetic ---


def sum_to(gradient: Gradient, shape: tuple[int, ...]) -> Gradient:
    """Sum over the axes along which an input of `shape` was broadcast, so that it fits again."""
    if gradient.shape == shape:
        return gradient
    if isinstance(gradient, Variable):
        summed: Variable = apply(SumTo(shape), gradient)
        return summed
    return _sum_array_to(gradient, shape)


def _sum_array_to(array: Array, shape: tuple[int, ...]) -> Array:
    added = array.ndim - len(shape)
    stretched = tuple(
        i + added for i, length in enumerate(shape) if length == 1 and array.shape[i + added] != 1
    )
    total: Array = array.sum(axis=(*range(added), *stretched), keepdims=True)
    return total.reshape(shape)


class SumTo(Function):
    """Sum over the axes along which `shape` was broadcast; the gradient is copied to each."""

    __slots__ = ("shape",)
    label = "sum_to"

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Array:
        """Compute the sum."""
        return _sum_array_to(x, self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Copy each gradient back to what was summed."""
        return np.broadcast_to(gy, self.inputs[0].shape)


class Neg(Function):
    """Elementwise negation, y = -x; local derivative dy/dx = -1."""

    __slots__ = ()
    label = "negative"

    def forward(self, x: Array) -> Any:
        """Compute -x."""
        return -x

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (-1)."""
        return -gy


class Add(Function):
    """Elementwise sum, y = a + b; local derivatives 1 and 1: the gradient is copied to both."""

    __slots__ = ()
    label = "add"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a + b."""
        return a + b

    def backward(self, gy: Gradient) -> Any:
        """Copy gy to both."""
        a, b = self.inputs
        return sum_to(gy, a.shape), sum_to(gy, b.shape)


class Sub(Function):
    """Elementwise difference, y = a - b; local derivatives 1 and -1."""

    __slots__ = ()
    label = "subtract"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a - b."""
        return a - b

    def backward(self, gy: Gradient) -> Any:
        """Copy gy to a, and -gy to b."""
        a, b = self.inputs
        return sum_to(gy, a.shape), sum_to(-gy, b.shape)


class Mul(Function):
    """Elementwise product, y = a · b; local derivatives b and a: each is scaled by the other."""

    __slots__ = ()
    label = "multiply"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a · b."""
        return a * b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · b and gy · a."""
        a, b = self.inputs_like(gy)
        return sum_to(gy * b, a.shape), sum_to(gy * a, b.shape)


class Div(Function):
    """Elementwise quotient, y = a / b; local derivatives 1/b and -a/b²."""

    __slots__ = ()
    label = "divide"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a / b."""
        return a / b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / b and -gy · a / b²."""
        a, b = self.inputs_like(gy)
        return sum_to(gy / b, a.shape), sum_to(-gy * a / (b * b), b.shape)


class Pow(Function):
    """Elementwise power, y = aᵇ; local derivatives b · aᵇ⁻¹ and aᵇ · log(a).

    Where b is 0 the first is 0 (also at a = 0); where a is 0 the second is 0.
    """

    __slots__ = ()
    label = "power"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a to the power of b."""
        return a**b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · b · aᵇ⁻¹ and, unless b is a constant, gy · aᵇ · log(a)."""
        a, b = self.inputs_like(gy)
        base, exponent = self.inputs
        is_constant = type(exponent) is Constant
        if is_constant:
            b = exponent._data
        lowered = b - (exponent._data != 0).astype(b.dtype)
        ga = sum_to(gy * (b * a**lowered), a.shape)
        if is_constant:
            return ga, None
        is_zero = (base._data == 0).astype(a.dtype)
        return ga, sum_to(gy * self.output_like(gy) * np.log(a + is_zero), b.shape)


@implements(np.negative)
def negative(x: Any) -> Variable:
    """Elementwise negation, y = -x."""
    y: Variable = apply(Neg(), x)
    return y


@implements(np.add)
def add(a: Any, b: Any) -> Variable:
    """Elementwise sum with broadcasting, y = a + b."""
    y: Variable = apply(Add(), a, b)
    return y


@implements(np.subtract)
def subtract(a: Any, b: Any) -> Variable:
    """Elementwise difference with broadcasting, y = a - b."""
    y: Variable = apply(Sub(), a, b)
    return y


@implements(np.multiply)
def multiply(a: Any, b: Any) -> Variable:
    """Elementwise product with broadcasting, y = a · b."""
    y: Variable = apply(Mul(), a, b)
    return y


@implements(np.divide)
def divide(a: Any, b: Any) -> Variable:
    """Elementwise quotient with broadcasting, y = a / b."""
    y: Variable = apply(Div(), a, b)
    return y


@implements(np.power)
def power(a: Any, b: Any) -> Variable:
    """Elementwise power with broadcasting, y = aᵇ."""
    y: Variable = apply(Pow(), a, b)
    return y
