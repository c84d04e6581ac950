"""The calls of learners' ``backward`` methods, one after the other."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.shapes import as_gradient, unpacked
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping, Sequence
    from types import CodeType

    from ipygrad.engine.core import Array

Gradients = tuple["Array | None", ...]


class Turn:
    """A call of a learner's ``backward``, with the gradients around it.

    What is heard is kept as it was heard, and made arrays of when it is shown: a loop may take very
    many turns, of which few are.

    Parameters
    ----------
    function
        Whose.
    given
        The arguments themselves.
    inputs
        The function's, () where it does not remember them.
    held
        Their gradients when it was called.
    is_by_hand
        Whether no variable's ``backward()`` called it.
    code
        What runs.

    Attributes
    ----------
    function, given, inputs, held, is_by_hand, code
        As given.
    returned
        What it returned.
    error
        What it raised instead, in words; None for nothing.
    values
        Its local names at the end.
    left
        The gradients of the inputs when the next one was called, or the run was over.
    arrived, contributed
        What `given` and `returned` were when they were, where code can change them.
    numbers
        How many numbers had been copied before it was called, since the recording began.
    """

    returned: Any = None
    error: str | None = None
    values: Mapping[str, Any] = MappingProxyType({})
    left: Sequence[Any] = ()
    arrived: Sequence[Any] | None = None
    contributed: Sequence[Any] | None = None
    numbers: int = 0

    def __init__(
        self,
        function: Any,
        given: Sequence[Any],
        inputs: tuple[Any, ...],
        held: Sequence[Any],
        is_by_hand: bool,
        code: CodeType,
    ) -> None:
        self.function = function
        self.given = given
        self.inputs = inputs
        self.held = held
        self.is_by_hand = is_by_hand
        self.code = code

    @property
    def cotangents(self) -> Gradients:
        """The gradients that it was given; None for what is no gradient."""
        arrived = unpacked(self.given) if self.arrived is None else self.arrived
        return tuple(map(as_gradient, arrived))

    @property
    def contributions(self) -> Gradients:
        """What it returned, one for each input."""
        contributed = as_tuple(self.returned) if self.contributed is None else self.contributed
        return tuple(map(as_gradient, contributed))

    @property
    def before(self) -> Gradients:
        """The inputs' gradients when it was called."""
        return tuple(map(as_gradient, self.held))

    @property
    def after(self) -> Gradients:
        """The inputs' gradients when the next one was called, or the run was over."""
        return tuple(map(as_gradient, self.left))


class Run(NamedTuple):
    """Backward methods called one after the other.

    Attributes
    ----------
    result
        The variable whose ``backward()`` called them, None when the cell did.
    turns
        In order.
    """

    result: Any
    turns: deque[Turn]
