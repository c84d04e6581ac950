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
from ipygrad.capture.turns import Run, Turn
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
"""Numbers in the turns by hand that are kept, the latest ones; with large arrays a loop makes many.
"""
_CONSTANT = frozenset((type(None), bool, int, float, np.float64, np.float32, np.float16))
"""Of what may be a gradient, what no code can change."""


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
    run_count
        How many they made in all.
    is_on
        Whether anything is recorded now.
    hears_calls
        Whether calls of functions are; what a backward computes with is no part of the graph.
    is_cut
        Whether there were more backward methods than are kept.
    """

    def __init__(self, observer: Observer, calls: Calls) -> None:
        self._observer = observer
        self.calls = calls
        self.by_hand = Run(None, deque())
        self._run = self.by_hand
        self._turn: Turn | None = None
        self._unsettled: Turn | None = None
        self._turns_left = MOST_TURNS
        # Copied of turns by hand.
        self._numbers = 0
        self.runs: deque[Run] = deque(maxlen=MOST_RUNS)
        self.run_count = 0
        self.is_on = self.hears_calls = False
        self.is_cut = False
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
        why_left_out: Callable[[], str] | None,
    ) -> None:
        """Hear that a function was called on `given` and returned `made`.

        Parameters
        ----------
        why_left_out
            Gives the reason why its ``__call__`` has not set creators (no_grad); None where it
            never does.
        """
        kinds = self._kinds
        if type(made) in kinds:
            outputs: tuple[Any, ...] = (made,)
        else:
            outputs = variables_in((made,))
            kinds.update(map(type, outputs))
        # One function that calls others (a layer) makes nothing itself.
        if not outputs or self._observer.knows(outputs[0]):
            return
        # Whoever called the function: between are this method and what stands in for the other.
        self._observer.noted(outputs, sys._getframe(2))
        if getattr(outputs[0], "creator", None) is not None:
            return
        if why_left_out is not None:
            self.calls.leave_out(outputs, why_left_out())
        else:
            is_one = len(given) == 1 and type(given[0]) in kinds
            inputs = given if is_one else variables_in(given)
            if inputs:
                self.calls.add(function, inputs, outputs)

    def goes_back(self, owner: Any, given: Sequence[Any], code: CodeType) -> Turn | Run | None:
        """Hear that ``owner.backward`` is called; return what to end it with, None for nothing."""
        if self._turn is not None:
            return None
        kind = type(owner)
        if kind not in self._function_kinds:
            if is_variable(owner):
                return self._begin_run(owner)
            if not is_function(owner):
                return None
            self._function_kinds.add(kind)
        if not self._turns_left:
            # What was heard so far is not what the cell leaves.
            for run in (self.by_hand, *self.runs):
                run.turns.clear()
            self.is_cut = True
            return None
        self._turns_left -= 1
        earlier = self._unsettled
        if earlier is not None:
            earlier.left = self._gradients(earlier.inputs)
        numbers = self._numbers
        inputs = inputs_of(owner) or self.calls.latest_inputs(owner)
        run = self._run
        turn = Turn(owner, given, inputs, self._gradients(inputs), run is self.by_hand, code)
        if numbers:
            turn.numbers = numbers
        for value in given:
            if type(value) not in _CONSTANT:
                turn.arrived = [*map(self._lasting, unpacked(given))]
                break
        run.turns.append(turn)
        self._turn = self._unsettled = turn
        self.hears_calls = False
        return turn

    def keep_values(self, returned: Any, values: dict[str, Any]) -> Any:
        """Hear what a backward is about to return, and the values of its local names."""
        if self._turn is not None:
            # Without the method's owner there is nothing for the garbage collector to look through.
            values.pop("self", None)
            self._turn.values = values
        return returned

    def went_back(self, heard: Turn | Run, returned: Any, error: str | None = None) -> None:
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
        if isinstance(heard, Run):
            self._settle()
            self._run = self.by_hand
            self.hears_calls = True
            return
        heard.returned = returned
        if error is not None:
            heard.error = error
        if type(returned) not in _CONSTANT:
            heard.contributed = [*map(self._lasting, as_tuple(returned))]
            self._let_go()
        self._turn = None
        self.hears_calls = heard.is_by_hand

    def _begin_run(self, result: Any) -> Run | None:
        if self._run is not self.by_hand:
            return None
        self._settle()
        self._run = Run(result, deque())
        self.runs.append(self._run)
        self.run_count += 1
        self.hears_calls = False
        return self._run

    def _settle(self) -> None:
        """Note the gradients that the latest turn has left; later ones belong to later turns."""
        turn = self._unsettled
        if turn is not None:
            turn.left = self._gradients(turn.inputs)
            self._unsettled = None

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
        turns = self.by_hand.turns
        while len(turns) > 1 and self._numbers - turns[0].numbers > MOST_NUMBERS:
            turns.popleft()
            self.is_cut = True
