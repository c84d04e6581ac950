"""Variables: an array, where it came from, and the gradient that a result has by it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Union, cast

import numpy as np

from ipygrad.engine import mode
from ipygrad.engine.arrays import Array, as_array
from ipygrad.engine.dispatch import implementations
from ipygrad.engine.errors import BackwardError
from ipygrad.engine.methods import ArrayMethods

if TYPE_CHECKING:
    from ipygrad.engine.core import Function
    from ipygrad.engine.mode import Cut

Gradient = Union[Array, "Variable"]


class Variable(ArrayMethods):
    """An array, where it came from, and how a result depends on it.

    Parameters
    ----------
    data
        A number, a (nested) list of numbers or an array of any shape. Integers and booleans become
        float64; an array of floating-point numbers is kept as it is, not copied.
    name
        How pictures and tables call it. Without one they find the name in the notebook.

    Raises
    ------
    TypeError
        For text, None, objects and complex numbers.
    """

    # _value and _grad hold numpy's scalars where the shape is (), until somebody asks for an array.
    # _assigned_at is the time (see `mode`) when data was last assigned, 0 for never.
    # _cut is set only where it says something, since calls take more time here than the rest.
    __slots__ = (
        *("__weakref__", "_assigned_at", "_by_hand", "_creator", "_cut", "_grad", "_value"),
        "name",
    )

    _cut: Cut

    def __init__(self, data: object, name: str | None = None) -> None:
        if type(data) is float:
            data = np.float64(data)
        self._value: Any = data if isinstance(data, np.floating) else as_array(data)
        self._grad: Any = None
        self._by_hand = False
        self._assigned_at = 0
        self._creator: Function | None = None
        self.name = name

    @property
    def data(self) -> Array:
        """The array that it holds; numbers are arrays of shape ``()``.

        Assign it before it is used or after ``backward()``, as in ``x.data -= 0.1 * x.grad``: to go
        back through a function that ran in between raises BackwardError. A change of the array
        itself, as in ``x.data[0] = 1``, is not seen by ``backward()``; the steps of ``%%grad`` tell
        of both.
        """
        if mode.differentiating is not None:
            raise BackwardError(
                f"{mode.differentiating.label}.backward reads .data, so it cannot be "
                "differentiated again: its second derivative would be wrong. Write it with the "
                "Variables themselves, for example x = self.input and return 2 * x * gy",
                mode.differentiating,
            )
        return self._array()

    @data.setter
    def data(self, data: object) -> None:
        self._value = as_array(data)
        mode.time += 1
        self._assigned_at = mode.time

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
        if mode.witness is not None:
            mode.witness.assigned_grad(self)

    @property
    def grad_by_hand(self) -> bool:
        """Whether ``grad`` was assigned, rather than left by a backward pass."""
        return self._by_hand

    def cleargrad(self) -> None:
        """Forget the gradient, so that the next pass does not add to it."""
        self._grad = None
        self._by_hand = False

    @property
    def creator(self) -> Function | None:
        """The function that made it; None for a leaf."""
        function = self._creator
        # Whoever holds the function may ask it for its output. (What a user has set as creator need
        # not be a Function.)
        if function is not None and getattr(function, "_outputs", self) is None:
            function._outputs = weakref.ref(self)
        return function

    @creator.setter
    def creator(self, function: Function | None) -> None:
        self._creator = function

    def set_creator(self, function: Function) -> None:
        """Tie this variable to the function that made it."""
        self._creator = function

    @property
    def generation(self) -> int:
        """0 for a leaf, else one more than its creator's."""
        return 0 if self._creator is None else self._creator.generation + 1

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
            When a function's ``backward`` fails or returns what does not fit, or when ``data`` was
            assigned after a function had used it. Then no ``grad`` has changed.
        """
        implementations["backward"](self, retain_grad, create_graph)

    def receive_grad(self, gradient: Array) -> None:
        """Add a copy of `gradient` to ``grad``, as a backward pass does."""
        self._grad = np.array(gradient) if self._grad is None else self._grad + gradient
        self._by_hand = False

    def detach(self) -> Variable:
        """Return a leaf that shares the data: what is made of it has no history before here."""
        detached = Variable(self._array(), self.name)
        cut = self.cut if self._creator is None else "detach"
        if cut is not None:
            detached._cut = cut
        return detached

    @property
    def cut(self) -> Cut | None:
        """What made a leaf of this variable, which functions have computed; None for any other."""
        return getattr(self, "_cut", None) if self._creator is None else None

    def unchain(self) -> None:
        """Forget the creator: from now on this variable is a leaf."""
        if self._creator is not None:
            self._cut = "unchain"
        self._creator = None

    def unchain_backward(self) -> None:
        """Make leaves of all intermediate variables behind this one, and so free their history.

        Truncated backpropagation through time does so every few steps. The variable itself keeps
        its creator.
        """
        waiting = [] if self._creator is None else [self._creator]
        while waiting:
            for x in waiting.pop().inputs:
                if x._creator is not None:
                    waiting.append(x._creator)
                    x._cut = "unchain"
                    x._creator = None

    def item(self) -> float:
        """Return the one number that it holds, as a Python float."""
        if mode.differentiating is not None:
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

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, specification: str) -> str:
        if not specification:
            return str(self)
        if self.size != 1:
            raise TypeError(
                f"a Variable of shape {self.shape} has no format {specification!r}: format its "
                "elements one by one"
            )
        return format(self._value.item(), specification)

    def __repr__(self) -> str:
        value = np.array2string(self._array(), separator=", ", threshold=20, prefix="Variable(")
        if not self.ndim:
            value = repr(self._value.item())
        name = "" if self.name is None else f", name={self.name!r}"
        if self._creator is None:
            return f"Variable({value}{name})"
        maker = getattr(self._creator, "label", type(self._creator).__name__)
        return f"Variable({value}{name}, made by {maker})"


class Constant(Variable):
    """A number or array written into a formula (``2 * x``): a leaf that keeps no gradient."""

    __slots__ = ()
