"""Watch a cell call functions that no engine of ours knows: forward, and each backward in turn."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.shapes import (
    as_gradient,
    inputs_of,
    is_function,
    is_variable,
    unpacked,
    variables_in,
)
from ipygrad.capture.turns import Run
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType

    from ipygrad.capture.calls import Calls
    from ipygrad.capture.observe import Observer

MOST_RUNS = 8
"""Backward passes that are kept of one cell, the latest ones; a loop that trains makes many."""
MOST_TURNS = 100_000
"""Backward methods that are heard of in one cell; a loop that trains for longer runs at full speed
from there on."""
MOST_NUMBERS = 10_000_000
"""Numbers in the turns by hand that are kept, the latest ones, and up to a quarter more; with large
arrays a loop makes many."""
_CONSTANT = frozenset((type(None), bool, int, float, np.float64, np.float32, np.float16))
"""Of what may be a gradient, what no code can change."""

Begun = tuple[
    int, Any, "Sequence[Any]", tuple[Any, ...], tuple[Any, ...], "CodeType", "list[Any] | None"
]
"""Of a turn how many numbers had been copied before, the function, the arguments, the inputs, their
gradients, what runs, and copies of the arguments."""


class CallRecorder:
    """Notes the calls of learners' functions while a block runs, and only then.

    Parameters
    ----------
    observer
        Who notes where variables were made, and which backward methods the cell called by hand.
    calls
        Where to add the calls whose outputs have no creator.

    Attributes
    ----------
    calls
        As given.
    by_hand
        The backward methods that the cell itself called.
    runs
        The latest backward passes that variables made.
    is_on
        Whether anything is recorded now.
    hears_calls
        Whether calls of functions are; what a backward computes with is no part of the graph.
    is_cut
        Whether there were more backward methods than are kept.
    kept
        Where a backward adds the values of its local names when it is about to return.
    """

    def __init__(self, observer: Observer, calls: Calls) -> None:
        self._observer = observer
        self.calls = calls
        self.by_hand = Run(None)
        self._run = self.by_hand
        self._is_in_turn = False
        # The inputs of the latest turn.
        self._unsettled: tuple[Any, ...] | None = None
        self._turns_left = MOST_TURNS
        # Copied of turns by hand.
        self._numbers = 0
        self.runs: deque[Run] = deque(maxlen=MOST_RUNS)
        self.is_on = self.hears_calls = False
        self.is_cut = False
        # Of two, a ``finally`` has returned the later one.
        self.kept: deque[dict[str, Any]] = deque(maxlen=1)
        # What is known to be a variable's or function's class need not be looked at again.
        self._kinds: set[type] = set()
        self._function_kinds: set[type] = set()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what is heard inside the block."""
        self.is_on = self.hears_calls = True
        try:
            yield
        finally:
            self.is_on = self.hears_calls = False
            self._settle()

    def was_called(
        self,
        function: Any,
        given: tuple[Any, ...],
        made: Any,
        why_left_out: Callable[[], tuple[str, bool]] | None,
    ) -> None:
        """Hear that a function was called on `given` and returned `made`.

        Parameters
        ----------
        why_left_out
            Gives the reason why its ``__call__`` has not set creators, and whether that is a switch
            which is off (no_grad); None where it never does.
        """
        kinds = self._kinds
        if type(made) in kinds:
            outputs: tuple[Any, ...] = (made,)
        else:
            outputs = variables_in((made,))
            if not outputs:
                return
            kinds.update(map(type, outputs))
            made = outputs[0]
        observer = self._observer
        # One function that calls others (a layer) makes nothing itself.
        if observer.knows(made):
            return
        # Whoever called the function: between are this method and what stands in for the other.
        observer.noted(outputs, sys._getframe(2))
        if getattr(made, "creator", None) is not None:
            return
        if why_left_out is not None:
            reason, is_off = why_left_out()
            self.calls.leave_out(outputs, reason, is_off=is_off)
        else:
            is_one = len(given) == 1 and type(given[0]) in kinds
            inputs = given if is_one else variables_in(given)
            if inputs:
                self.calls.add(function, inputs, outputs)

    def goes_back(self, owner: Any, given: Sequence[Any], code: CodeType) -> Begun | Run | None:
        """Hear that ``owner.backward`` is called; return what to end it with, None for nothing."""
        if self._is_in_turn:
            return None
        kind = type(owner)
        if kind not in self._function_kinds:
            if is_variable(owner):
                return self._begin_run(owner)
            if not is_function(owner):
                return None
            self._function_kinds.add(kind)
        if not self._turns_left:
            self._cut()
            return None
        self._turns_left -= 1
        inputs = inputs_of(owner) or self.calls.latest_inputs(owner)
        earlier = self._unsettled
        if earlier is not None and len(inputs) == len(earlier) == 1 and inputs[0] is earlier[0]:
            # Once more the same: less to be looked at, and by the garbage collector, too.
            inputs, self._unsettled = earlier, None
            numbers = self._numbers
            held = self._gradients(inputs)
            self._run.tape.append(held)
        else:
            self._settle()
            numbers = self._numbers
            held = self._gradients(inputs)
        arrived = None
        for value in given:
            if type(value) not in _CONSTANT:
                arrived = [*map(self._lasting, unpacked(given))]
                break
        self._is_in_turn = True
        self.hears_calls = False
        return numbers, owner, given, inputs, held, code, arrived

    def went_back(self, heard: Begun | Run, returned: Any, error: str | None = None) -> None:
        """Hear that what `goes_back` was told of is over.

        Parameters
        ----------
        heard
            What `goes_back` returned.
        returned
            What the method returned.
        error
            What it raised instead, in words; None for nothing.
        """
        values = self.kept.pop() if self.kept else {}
        if isinstance(heard, Run):
            self._settle()
            self._run = self.by_hand
            self.hears_calls = True
            return
        numbers, owner, given, inputs, held, code, arrived = heard
        contributed = None
        if type(returned) not in _CONSTANT:
            contributed = [*map(self._lasting, as_tuple(returned))]
        run = self._run
        is_by_hand = run is self.by_hand
        count = len(given)
        run.tape += [
            Run.START + count + 2 * len(values) + 1, count, numbers,
            owner, inputs, held, is_by_hand, code, returned, error, arrived, contributed,
            *given, *values, *values.values(),
        ]  # fmt: skip
        self._unsettled = inputs
        if contributed is not None and is_by_hand:
            self._let_go()
        self._is_in_turn = False
        self.hears_calls = is_by_hand

    def _begin_run(self, result: Any) -> Run | None:
        if self._run is not self.by_hand:
            return None
        self._settle()
        self._run = Run(result)
        self.runs.append(self._run)
        self.hears_calls = False
        return self._run

    def _settle(self) -> None:
        """Note the gradients that the latest turn has left; later ones belong to later turns."""
        if self._unsettled is not None:
            self._run.tape.append(self._gradients(self._unsettled))
            self._unsettled = None

    def _cut(self) -> None:
        """Forget all turns: what was heard so far is not what the cell leaves."""
        self._unsettled = None
        for run in (self.by_hand, *self.runs):
            run.tape.clear()
        self.is_cut = True

    def _gradients(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(inputs) == 1:
            gradient = getattr(inputs[0], "grad", None)
            if gradient is None:
                return (None,)  # the same each time, nothing that piles up
            return (self._lasting(gradient),)
        return tuple([self._lasting(getattr(x, "grad", None)) for x in inputs])

    def _lasting(self, value: Any) -> Any:
        """Return what holds the same numbers and does not change any more.

        Where ``x.grad += gx`` finds an array it changes that array.
        """
        if type(value) in _CONSTANT:
            return value
        copy = as_gradient(value)
        if copy is not None and self._run is self.by_hand:
            self._numbers += copy.size
        return copy

    def _let_go(self) -> None:
        """Forget the earliest turns by hand, if there are others."""
        if self._numbers - self.by_hand.tape[2] > 1.25 * MOST_NUMBERS:
            self.is_cut = self.by_hand.let_go(self._numbers - MOST_NUMBERS) or self.is_cut
