"""Passes that go wrong, in words: what a step should have done, and what its pass leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipygrad.capture.backward import final_gradients

if TYPE_CHECKING:
    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.capture.orders import Fault
    from ipygrad.engine.core import Array
    from ipygrad.explain.words import Words


def describe_faults(words: Words, graph: Graph, step: BareStep) -> tuple[str, ...]:
    """Say of each fault of a step what happened, and what should have."""
    return tuple(_describe(words, graph, step, fault) for fault in step.faults)


def _describe(words: Words, graph: Graph, step: BareStep, fault: Fault) -> str:
    node = graph.functions[step.function]
    values: dict[str, object] = {
        "function": node.label,
        "variable": graph.variables[fault.variable].name,
        "arrived": fault.arrived,
        "expected": fault.expected,
        "step": fault.step,
        "outputs": words.enumerate(
            [f"{graph.variables[y].name}.grad" for y in node.outputs if y is not None]
        ),
    }
    if fault.variable in node.inputs:
        place = node.inputs.index(fault.variable)
        before, contribution = step.before[place], step.contributions[place]
        values["before"] = words.number(before)
        values["contribution"] = words.number(contribution)
        if before is not None and contribution is not None:
            values["sum"] = words.number(before + contribution)
    if fault.right is not None:
        values["arriving"] = words.number(step.cotangents[node.outputs.index(fault.variable)])
        values["right"] = words.number(fault.right)
    return words(f"note_{fault.kind}", **values)


def describe_wrong_end(
    words: Words, graph: Graph, run: BackwardRun, right: dict[int, Array]
) -> tuple[str, ...]:
    """Say what a pass leaves in the leaves that is not right, and in which steps it went wrong.

    Parameters
    ----------
    run
        The pass as it ran.
    right
        The right gradients, by number of the variable.
    """
    left = final_gradients(graph, run)
    differing = [
        number
        for number, gradient in right.items()
        if graph.variables[number].kind == "leaf" and not _alike(left.get(number), gradient)
    ]
    if not differing:
        return (words("notice_right_end"),)
    sums = [
        words(
            "left_and_right",
            name=graph.variables[number].name,
            left=words.number(left.get(number)),
            right=words.number(right[number]),
        )
        for number in differing
    ]
    faulty = [words("step_number", index=step.index) for step in run.steps if step.faults]
    key = "notice_wrong_end" if faulty else "notice_wrong_end_unknown"
    return (words(key, sums=words.enumerate(sums), steps=words.enumerate(faulty)),)


def _alike(a: Array | None, b: Array) -> bool:
    return a is not None and a.shape == b.shape and bool(np.allclose(a, b, 1e-9, 0, True))
