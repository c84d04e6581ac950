"""Backward passes in other orders than the right one, and where they go wrong.

The wrong orders are those that a book on the subject takes first: assigning a gradient where it
should be added, and letting a function take its turn before all its gradients have arrived.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ipygrad.capture.backward import BackwardRun, BareStep, final_gradients
from ipygrad.capture.quiet import quietly
from ipygrad.engine.core import as_array, as_tuple
from ipygrad.engine.reverse import accumulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array

Order = Literal["overwrite", "depth-first", "generation"]
ORDERS: tuple[Order, ...] = ("overwrite", "depth-first", "generation")
MOST_TURNS = 10_000
"""Depth first, a function takes a turn for each path from the result: that can be very many."""


class Fault(NamedTuple):
    """One thing that goes wrong in a step.

    Attributes
    ----------
    kind
        ``"overwritten"``: the gradient of a variable was replaced instead of added to.
        ``"early"``: the function ran before all gradients of its output had arrived.
        ``"again"``: it had its turn before, and what it contributed then is still there.
        ``"leftover"``: the variable held a gradient from before this pass, and it was added to.
        ``"misled"``: the function was given something else than the gradient of its output.
    variable
        Number of the variable that it happened to.
    argnum
        Which input of the function that is, counted from 0; None for an output.
    arrived, expected
        Of ``"early"``: how many gradients had come, of how many.
    right
        Of ``"early"``: the gradient that it should have got.
    step
        Of ``"again"``: when it had its turn before.
    """

    kind: Literal["overwritten", "early", "again", "leftover", "misled"]
    variable: int
    argnum: int | None = None
    arrived: int = 0
    expected: int = 0
    right: Array | None = None
    step: int = 0


def run_in_order(graph: Graph, order: Order, right: BackwardRun) -> BackwardRun:
    """Run the backward pass over `graph` in an order that may be wrong; no ``.grad`` changes.

    Parameters
    ----------
    graph
        With one result.
    order
        ``"overwrite"`` takes the function that was reached last, and assigns gradients;
        ``"depth-first"`` takes the same, and adds; ``"generation"`` is the right one.
    right
        The pass as it should be.

    Raises
    ------
    ValueError
        When the pass takes more than 10,000 turns.
    """
    if order == "generation" or right.error is not None:
        return right
    result = graph.results[0]
    gradients = {result: right.cotangent}
    waiting = [graph.variables[result].creator]
    steps: list[BareStep] = []
    while waiting:
        number = waiting.pop()
        if number is None:
            continue
        if len(steps) == MOST_TURNS:
            raise ValueError(
                f"in the order {order} this pass takes more than {MOST_TURNS:,} turns, since a "
                "function takes one for each path from the result"
            )
        node = graph.functions[number]
        cotangents = tuple(
            _zeros(right, number, place) if y is None or y not in gradients else gradients[y]
            for place, y in enumerate(node.outputs)
        )
        with quietly():
            returned = as_tuple(node.function.backward(*cotangents))
        before, after = [], []
        contributions = tuple(
            None if graph.variables[x].kind == "constant" else as_array(gx)
            for x, gx in zip(node.inputs, returned, strict=True)
        )
        for x, contribution in zip(node.inputs, contributions, strict=True):
            before.append(gradients.get(x))
            if contribution is not None:
                held = None if order == "overwrite" else gradients.get(x)
                gradients[x] = np.asarray(accumulate(held, contribution))
                waiting.append(graph.variables[x].creator)
            after.append(gradients.get(x))
        steps.append(
            BareStep(len(steps) + 1, number, cotangents, contributions, tuple(before), tuple(after))
        )
    return replace(right, steps=with_faults(graph, steps, final_gradients(graph, right)))


def _zeros(right: BackwardRun, number: int, place: int) -> Array:
    step = next(step for step in right.steps if step.function == number)
    return np.zeros_like(step.cotangents[place])


def with_faults(
    graph: Graph, steps: Sequence[BareStep], right: Mapping[int, Array]
) -> tuple[BareStep, ...]:
    """Say of each step what goes wrong in it, by what had arrived and what became of it.

    Parameters
    ----------
    graph
        The graph.
    steps
        In the order in which functions took their turns, one may have several.
    right
        The right gradients, by number of the variable.
    """
    arrived: Counter[int] = Counter()
    turn: dict[int, int] = {}
    held: set[int] = set()
    found = []
    for step in steps:
        node = graph.functions[step.function]
        faults = list(step.faults)
        is_misled = bool(faults)
        again = turn.get(step.function)
        turn[step.function] = step.index
        for y in node.outputs:
            if y is None or y in graph.results or is_misled:
                continue
            came, expected = arrived[y], graph.uses[y]
            if came < expected:
                right_gy = right.get(y)
                faults.append(Fault("early", y, arrived=came, expected=expected, right=right_gy))
        changes = zip(node.inputs, step.contributions, step.before, step.after, strict=True)
        for argnum, (x, contribution, before, after) in enumerate(changes):
            if contribution is None or after is None:
                continue
            replaced = before is not None and not alike(after, before + contribution)
            if again is not None:
                if not replaced:
                    faults.append(Fault("again", x, argnum, step=again))
            elif before is not None and x not in held and not replaced:
                faults.append(Fault("leftover", x, argnum))
            elif x in held and replaced:
                faults.append(Fault("overwritten", x, argnum))
            held.add(x)
            arrived[x] += again is None
        found.append(replace(step, faults=tuple(faults)))
    return tuple(found)


def alike(a: Array, b: Array) -> bool:
    """Tell whether two gradients are the same but for rounding."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True))
