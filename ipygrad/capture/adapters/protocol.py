"""What ipygrad has to know of another engine in order to step through its graphs."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ipygrad.capture.quiet import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ipygrad.capture.calls import Call
    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut

    Contributions = tuple[Array | None, ...]


class CannotRerunError(RuntimeError):
    """A function cannot be called once more; the message says why.

    It has no curve and is not checked then; its recorded backward still runs.
    """


class Rerun(NamedTuple):
    """A function called once more, on a copy of its own.

    Attributes
    ----------
    outputs
        What forward gave.
    backward
        From the gradient arriving at each output to the contribution to each input, at the inputs
        of this call.
    """

    outputs: tuple[Array, ...]
    backward: Callable[[tuple[Array, ...]], Contributions]


class Adapter(ABC):
    """Reads the graphs of one engine; a new one is made each time that something is captured.

    Variables and functions are the engine's own objects, whatever they are. Derive from this class:
    the methods that have a body need not be written where it fits.

    Parameters
    ----------
    calls
        What was observed of functions that leave no links on the variables that they make.

    Attributes
    ----------
    has_backward_methods
        Whether functions go back by a method called ``backward``, whose text can be told.
    """

    has_backward_methods = True

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self.calls = calls

    @abstractmethod
    def handles(self, value: object) -> bool:
        """Tell whether `value` is a variable of this engine, a leaf or a result."""

    def identity(self, variable: Any) -> object:
        """Return the object that stands for `variable`, whichever handle of it one has.

        It can be weakly referenced, and lives as long as a graph that the variable is in.
        """
        return variable

    @abstractmethod
    def creator(self, variable: Any) -> object | None:
        """Return the function that made `variable`, the same object each time; None for a leaf."""

    @abstractmethod
    def inputs(self, function: Any) -> Sequence[Any]:
        """Return what a function was called with; what was given twice is there twice."""

    @abstractmethod
    def outputs(self, function: Any) -> Sequence[Any | None]:
        """Return what a function made; None stands for an output that nobody holds any more."""

    @abstractmethod
    def data(self, variable: Any) -> Array:
        """Return the value of a variable, of its shape; nan where the engine did not keep it."""

    def assign(self, variable: Any, value: Array) -> None:
        """Give a leaf another value, of its shape."""
        variable.data = value if isinstance(variable.data, np.ndarray) else value.item()

    def is_known(self, variable: Any) -> bool:  # noqa: ARG002
        """Tell whether the engine has kept the value of a variable."""
        return True

    def meet(self, namespace: Mapping[str, object]) -> None:  # noqa: B027 - nothing, by default
        """Look at what the user holds, before a graph is read, for what the graph has not kept."""

    def name(self, variable: Any) -> str | None:
        """Return the name that a variable was given, None without one."""
        name = getattr(variable, "name", None)
        return name if isinstance(name, str) and name else None

    def label(self, function: Any) -> str:
        """Return the name of a function for people."""
        return type(function).__name__

    def is_constant(self, variable: Any) -> bool:  # noqa: ARG002
        """Tell whether a leaf gets no gradient."""
        return False

    def cut(self, variable: Any) -> Cut | None:  # noqa: ARG002
        """Return what made a leaf of a variable that functions have computed, as far as known."""
        return None

    @abstractmethod
    def backward(self, function: Any, cotangents: tuple[Array, ...]) -> Contributions:
        """Run the engine's own backward of a recorded function, and change no gradient.

        Parameters
        ----------
        function
            As `creator` returned it.
        cotangents
            The gradient arriving, one for each output, of the output's shape.

        Returns
        -------
        tuple of ndarray or None
            The contribution to each input, of its shape; None where the engine gives none.
        """

    @abstractmethod
    def rerun(self, function: Any, inputs: Sequence[Array]) -> Rerun:
        """Call a copy of a recorded function forward on other inputs.

        Raises
        ------
        CannotRerunError
            When the engine has not kept what that takes.
        """

    def like_output(self, function: Any, number: int) -> Array:
        """Return an array of the shape of an output that nobody holds any more.

        Its shape tells what zeros arrive there.
        """
        inputs = [self.data(x) for x in self.inputs(function)]
        return self.rerun(function, inputs).outputs[number]

    @abstractmethod
    def gradient(self, variable: Any) -> Array | None:
        """Return the gradient that a variable holds now, None for "not yet"."""

    def start(self, result: Any) -> Array | None:  # noqa: ARG002
        """Return what the engine's backward from `result` would start with, None for ones."""
        return None

    @abstractmethod
    def run_backward(self, result: Any, cotangent: Array) -> None:
        """Leave gradients as the engine's own ``result.backward()`` does, from `cotangent`."""

    def watching(self, observer: Observer) -> AbstractContextManager[object]:  # noqa: ARG002
        """Tell `observer`, inside the block, of what the engine makes and of backward passes.

        What is told of is what `identity` returns. Without it, pictures know no lines of the cell.
        """
        return nullcontext()


@contextmanager
def heard(owner: type, name: str, tell: Callable[..., object]) -> Iterator[None]:
    """Let each call of a method be told of while the block runs.

    A profile function could hear of it, too, but would slow down all that the cell calls.

    Parameters
    ----------
    owner, name
        The method.
    tell
        Called after the method, with the object, what the method returned, and the frame that
        called it.
    """
    method = getattr(owner, name)

    @wraps(method)
    def telling(self: Any, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        returned = method(self, *arguments, **options)
        tell(self, returned, sys._getframe(1))
        return returned

    with replaced(owner, name, telling):
        yield
