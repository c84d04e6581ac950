"""The reverse pass: from a result back to the leaves, one function at a time."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import mode
from ipygrad.engine.arrays import Array, without_axes
from ipygrad.engine.contributions import check_unchanged, checked, failed, run_with_care
from ipygrad.engine.core import Constant, Function, Gradient, Variable, creator_of, implements
from ipygrad.engine.errors import BackwardError
from ipygrad.engine.methods import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Looked up for every function, and so without the way through numpy.
float64 = np.float64


@implements("backward")
def _backward(result: Variable, retain_grad: bool, create_graph: bool) -> None:
    """Do what `Variable.backward` promises."""
    if result._creator is None:
        raise ValueError(
            f"{result.name or 'this variable'} has no creator: no recorded function made it, so "
            "there is nothing to go back through. Call backward() on a result, such as "
            "y = square(x)"
        )
    if mode.witness is not None:
        mode.witness.ran_backward(result)
    start = starting_cotangent(result)
    gradients: dict[Variable, Gradient] = {}
    for _ in reverse_pass(result, start, gradients, create_graph, retain_grad, refuse_changes=True):
        pass
    if result._by_hand:
        gradients.pop(result, None)
    owned = {id(start)}
    for variable, gradient in gradients.items():
        if variable._grad is not None:
            gradient = variable._grad + gradient
        elif type(gradient) is np.ndarray:
            # Functions hand back views, or one array for two inputs (add).
            if gradient.base is not None or id(gradient) in owned:
                gradient = gradient.copy()
            else:
                owned.add(id(gradient))
        variable._grad = gradient
        variable._by_hand = False
    if create_graph and mode.witness is not None:
        mode.witness.left_gradients(result)


def accumulate(before: Gradient | None, contribution: Gradient) -> Gradient:
    """Return the gradient after one more contribution has arrived; None stands for "none yet"."""
    return contribution if before is None else before + contribution


def starting_cotangent(result: Variable) -> Array:
    """Return what a reverse pass from `result` starts with: a hand-assigned gradient, else ones."""
    if result.grad_by_hand:
        return np.asarray(value_of(result._grad), result.dtype)
    return np.ones(result.shape, result.dtype)


Turn = tuple[Function, tuple[Gradient, ...], list[Gradient | None]]
"""One function's turn in a reverse pass: the function; the gradient arriving, one for each output
(zeros where nothing came); what it adds, one for each input (None for a constant)."""


def reverse_pass(
    result: Variable,
    cotangent: Array,
    gradients: dict[Variable, Gradient],
    create_graph: bool = False,
    retain_grad: bool = True,
    refuse_changes: bool = False,
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
        numpy's scalars in it.
    create_graph
        Hand Variables to the backward methods, so that the gradients can be differentiated again.
    retain_grad
        Leave the gradients of intermediate variables in `gradients` after their turn.
    refuse_changes
        Raise at a function around which ``data`` was assigned after it was called.

    Raises
    ------
    BackwardError
        When a function's ``backward`` raises, or returns what does not fit its inputs.
    """
    gradients[result] = Variable(cotangent) if create_graph else without_axes(cotangent)
    last = creator_of(result)
    if last is None:
        return
    # For each function whose turn will come one of its outputs, by the function's generation. Most
    # are of the next lower generation, and so `below`; only the others need the heap.
    generation = last._generation + 1
    below = [result]
    waiting: dict[int, list[Variable]] = {}
    generations: list[int] = []
    arrived: Any = gradients.get if retain_grad else gradients.pop
    # A function of several outputs can be reached through each of them.
    queued = {id(last)}
    while below or generations:
        generation = generation - 1 if below else -generations[0]
        turns, below = below, []
        if generations and generations[0] == -generation:
            heappop(generations)
            turns = waiting.pop(generation) + turns
        for y in turns:
            function: Any = y._creator
            if refuse_changes and function._called_at != mode.time:
                check_unchanged(y)
            cotangents: tuple[Gradient, ...]
            if type(function._outputs) is tuple:
                cotangents = tuple([_or_zeros(o, arrived, create_graph) for o in function._outputs])
            else:
                cotangents = (arrived(y, None),)
            try:
                if create_graph or function._is_free:
                    pairs = run_with_care(y, cotangents, create_graph)
                elif len(cotangents) == 1:
                    pairs = function._paired(function.backward(cotangents[0]))
                else:
                    pairs = function._paired(function.backward(*cotangents))
            except BackwardError:
                raise
            except Exception as error:
                raise failed(y, f"raised {type(error).__name__}: {error}") from error
            contributions: list[Gradient | None] = []
            for x, gx in pairs:
                if type(x) is Constant:
                    contributions.append(None)
                    continue
                # Our own functions keep the shape, but not a narrow type beside a wider one.
                if not (type(gx) is float64 is type(x._value) or gx.dtype is x._value.dtype):
                    gx = checked(gx, len(contributions), y, create_graph)
                contributions.append(gx)
                before = gradients.get(x)
                if before is not None:
                    gradients[x] = before + gx
                    continue
                gradients[x] = gx
                creator = x._creator
                if creator is None:
                    continue
                if not isinstance(creator, Function):
                    creator_of(x)
                if type(creator._outputs) is tuple:
                    if id(creator) in queued:
                        continue
                    queued.add(id(creator))
                if creator._generation == generation - 1:
                    below.append(x)
                elif creator._generation in waiting:
                    waiting[creator._generation].append(x)
                else:
                    waiting[creator._generation] = [x]
                    heappush(generations, -creator._generation)
            yield function, cotangents, contributions


def _or_zeros(reference: Any, arrived: Any, create_graph: bool) -> Gradient:
    """Return what arrived at one of several outputs; zeros where it played no part or is gone."""
    output = reference()
    cotangent: Gradient | None = None if output is None else arrived(output, None)
    if cotangent is not None:
        return cotangent
    zeros = np.zeros(reference.shape, reference.dtype)
    return Variable(zeros) if create_graph else zeros
