"""The backward passes that a cell runs itself, with the numbers of the moment when they ran."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.observe import Observer
from ipygrad.capture.recording import MOST_RUNS
from ipygrad.engine.core import Constant, Function, Variable
from ipygrad.engine.methods import value_of
from ipygrad.engine.reverse import starting_cotangent

if TYPE_CHECKING:
    from ipygrad.capture.backward import Origin
    from ipygrad.engine.core import Array


@dataclass(eq=False)
class Moment:
    """A backward pass that a cell has run, and what it began with.

    Attributes
    ----------
    number
        Of all passes of the cell, counted from 1.
    result
        Where it began.
    cotangent
        What it started with.
    origin
        Where that came from.
    leaves
        The leaves behind the result, and what they held.
    held
        The gradients that earlier passes had left in them.
    size
        How many functions are behind the result.
    gradients
        Where it ran with ``create_graph=True``, the gradients that it left in leaves, as passes
        that could begin there; by leaf, and of the first leaves only.
    more_gradients
        How many there are beside these.
    """

    number: int
    result: Variable
    cotangent: Array
    origin: Origin
    leaves: dict[Variable, Array]
    size: int
    held: dict[Variable, Array] = field(default_factory=dict)
    gradients: dict[Variable, Moment] = field(default_factory=dict)
    more_gradients: int = 0


class PassObserver(Observer):
    """An observer that keeps the latest backward passes of the cell, too.

    Attributes
    ----------
    moments
        In the order in which they ran.
    pass_count
        Of all, also those that are not kept.
    """

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        # Each holds the graph behind its result, so a loop that trains must not pile them up.
        self.moments: deque[Moment] = deque(maxlen=MOST_RUNS)
        self.pass_count = 0

    def ran_backward(self, result: Any) -> None:
        """Note that the cell runs a backward pass, and the values that it begins with."""
        super().ran_backward(result)
        if isinstance(result, Variable):
            self.pass_count += 1
            moment = _moment(self.pass_count, result)
            moment.held = {
                leaf: np.array(value_of(leaf.grad))
                for leaf in moment.leaves
                if leaf.grad is not None
            }
            self.moments.append(moment)

    def left_gradients(self, result: object) -> None:
        """Note the gradients that the pass from `result` has left."""
        moment = next((m for m in reversed(self.moments) if m.result is result), None)
        if moment is None:
            return
        for leaf in moment.leaves:
            gradient = leaf.grad
            # One that is a leaf itself does not depend on anything: nothing can be gone through.
            if isinstance(gradient, Variable) and gradient.creator is not None:
                if len(moment.gradients) < MOST_RUNS:
                    moment.gradients[leaf] = _moment(moment.number, gradient)
                else:
                    moment.more_gradients += 1


def _moment(number: int, result: Variable) -> Moment:
    functions: set[int] = set()
    leaves: dict[Variable, Array] = {}
    waiting = [result]
    while waiting:
        function = waiting.pop().creator
        # What is no Function is for the pass to complain of.
        if not isinstance(function, Function) or id(function) in functions:
            continue
        functions.add(id(function))
        for x in function.inputs if function.is_recorded else ():
            if x.creator is not None:
                waiting.append(x)
            elif x not in leaves and not isinstance(x, Constant):
                leaves[x] = x.data.copy()
    return Moment(
        number,
        result,
        starting_cotangent(result).copy(),
        "by_hand" if result.grad_by_hand else "ones",
        leaves,
        len(functions),
    )
