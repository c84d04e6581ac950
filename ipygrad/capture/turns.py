"""The calls of learners' ``backward`` methods, one after the other."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.shapes import as_gradient, unpacked
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType

    from ipygrad.engine.core import Array

Gradients = tuple["Array | None", ...]


class Turn(NamedTuple):
    """A call of a learner's ``backward``, with the gradients around it.

    What was heard is kept as it was heard, and made arrays of when it is shown: a loop may take
    very many turns, of which few are.

    Attributes
    ----------
    function
        Whose.
    inputs
        The function's, () where it does not remember them.
    held
        Their gradients when it was called.
    is_by_hand
        Whether no variable's ``backward()`` called it.
    code
        What ran.
    returned
        What it returned.
    error
        What it raised instead, in words; None for nothing.
    arrived, contributed
        What `given` and `returned` were when they were, where code can change them.
    given
        The arguments themselves.
    values
        Its local names at the end.
    left
        The gradients of the inputs when the next one was called, or the run was over.
    """

    function: Any
    inputs: tuple[Any, ...]
    held: Sequence[Any]
    is_by_hand: bool
    code: CodeType
    returned: Any
    error: str | None
    arrived: Sequence[Any] | None
    contributed: Sequence[Any] | None
    given: Sequence[Any]
    values: Mapping[str, Any]
    left: Sequence[Any]

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


class Run:
    """Backward methods called one after the other.

    Parameters
    ----------
    result
        The variable whose ``backward()`` called them, None when the cell did.

    Attributes
    ----------
    result
        As given.
    tape
        What was heard, one turn after the other: its `START` first, then the arguments, the local
        names, their values, and what it left. With containers for each turn, most of the time would
        go to the garbage collector, which looks through all that there are again and again.
    """

    START = 12
    """Of each turn its length on the tape, how many arguments it has, how many numbers had been
    copied before, and the fields of `Turn` as far as `contributed`."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.tape: list[Any] = []

    def let_go(self, numbers: int) -> bool:
        """Forget the turns, but not the last, that began before so many numbers had been copied.

        Returns
        -------
        bool
            Whether there were any.
        """
        tape, start = self.tape, 0
        while tape[start + 2] < numbers and start + tape[start] < len(tape):
            start += tape[start]
        del tape[:start]
        return start > 0

    @cached_property
    def turns(self) -> list[Turn]:
        """The turns in order; they are asked for when the recording is over."""
        tape, start = self.tape, 0
        turns = []
        while start < len(tape):
            length, count, _, *fields = tape[start : start + self.START]
            given = start + self.START
            names = given + count
            start += length
            values = (names + start) // 2
            local = dict(zip(tape[names:values], tape[values : start - 1], strict=True))
            turns.append(Turn._make([*fields, tape[given:names], local, tape[start - 1]]))
        return turns
