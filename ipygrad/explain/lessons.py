"""Passes that go wrong, in words: what a step should have done, and what its pass leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygrad.capture.backward import final_gradients
from ipygrad.capture.orders import alike
from ipygrad.capture.own_runs import (
    called_again,
    is_measured,
    left_out,
    name_of,
    unlinked_outputs,
)
from ipygrad.capture.recording import MOST_TURNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.capture.orders import Fault, Order
    from ipygrad.capture.own_runs import OwnTurns
    from ipygrad.engine.core import Array
    from ipygrad.explain.words import Words


MOST_LEAVES = 4
"""Leaves that are named for a result without a name."""
MOST_FAULTY = 6
"""Steps that are named where a pass ends with a wrong gradient."""


def describe_faults(words: Words, graph: Graph, step: BareStep) -> tuple[str, ...]:
    """Say of each fault of a step what happened, and what should have."""
    return tuple(_describe(words, graph, step, fault) for fault in step.faults)


def describe_measured(words: Words, node: FunctionNode) -> tuple[str, ...]:
    """Say that a function has no backward yet; nothing where it has one."""
    return (words("note_measured", function=node.label),) if is_measured(node) else ()


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
    if fault.argnum is not None:
        before, contribution = step.before[fault.argnum], step.contributions[fault.argnum]
        values["before"] = words.number(before)
        values["contribution"] = words.number(contribution)
        if before is not None and contribution is not None:
            values["sum"] = words.number(before + contribution)
    if fault.right is not None:
        values["arriving"] = words.number(step.cotangents[node.outputs.index(fault.variable)])
        values["right"] = words.number(fault.right)
    return words(f"note_{fault.kind}", **values)


def describe_order(
    words: Words, graph: Graph, run: BackwardRun, right: BackwardRun, order: Order
) -> tuple[str, ...]:
    """Say that an order is a wrong one, and what comes of it."""
    key = f"notice_order_{order.replace('-', '_')}"
    return words(key), _wrong_end(words, graph, run, right) or words("notice_right_end")


def describe_captured(words: Words, captured: Captured) -> tuple[str, ...]:
    """Say what of a graph could not be read any more."""
    notices = [
        words("notice_cut_off", variable=variable, function=function)
        for variable, function in captured.cut_off.items()
    ]
    if captured.unknown:
        notices.append(words("notice_unknown", names=words.enumerate(captured.unknown)))
    return tuple(notices)


def describe_on_the_way(words: Words, graph: Graph) -> str:
    """Say that a result is the last of several, none of which has a name."""
    leaves = [node.name for node in graph.variables if node.kind == "leaf"]
    return words("notice_on_the_way", leaves=words.enumerate(leaves[:MOST_LEAVES]))


def describe_not_called(words: Words, graph: Graph) -> str:
    """Say that the learner's own pass is not run."""
    return words("notice_not_called", result=graph.variables[graph.results[0]].name)


def describe_own(
    words: Words,
    graph: Graph,
    run: BackwardRun,
    right: BackwardRun,
    names: Mapping[int, str],
    own: OwnTurns,
) -> tuple[str, ...]:
    """Say what a learner's classes did otherwise than they should.

    Parameters
    ----------
    run
        The pass as the learner's classes, or the cell, ran it.
    right
        The pass as it should be.
    names
        What the user calls functions, by their numbers as objects.
    own
        The turns that were heard of.
    """
    notices = [] if own.error is None else [_raised(words, graph, own.error)]
    if own.is_cut:
        notices.append(words("notice_cut_turns", most=f"{MOST_TURNS:,}"))
    if run is not right:
        missing = [f"{name_of(node, names)}.backward" for node in left_out(graph, run)]
        if run.error is None and not missing:
            notices.append(_wrong_end(words, graph, run, right))
        elif run.error is None and own.error is None:
            notices.append(words("notice_left_out", names=words.enumerate(missing)))
    again = {name_of(node, names): node for node in called_again(graph)}
    notices += [words("notice_called_again", function=name) for name in again]
    return tuple(filter(None, [*notices, *_unlinked(words, graph)]))


def _raised(words: Words, graph: Graph, error: Exception) -> str:
    return words(
        "notice_own_raised",
        result=graph.variables[graph.results[0]].name,
        kind=type(error).__name__,
        message=error,
    )


def _unlinked(words: Words, graph: Graph) -> list[str]:
    """Say which function makes variables that could know their creator, and do not."""
    for node in reversed(graph.functions):
        if unlinked_outputs(node):
            name = graph.variables[next(y for y in node.outputs if y is not None)].name
            return [words("notice_unlinked", variable=name, function=node.label)]
    return []


def _wrong_end(words: Words, graph: Graph, run: BackwardRun, right: BackwardRun) -> str:
    """Say what a pass leaves in leaves that is not right, and in which steps it went wrong."""
    left, wanted = final_gradients(graph, run), final_gradients(graph, right)
    differing = [
        number
        for number, gradient in wanted.items()
        if graph.variables[number].kind == "leaf" and not _is_right(left.get(number), gradient)
    ]
    if not differing:
        return ""
    sums = [
        words(
            "left_and_right",
            name=graph.variables[number].name,
            left=words.number(left.get(number)),
            right=words.number(wanted[number]),
        )
        for number in differing
    ]
    faulty = [words("step_number", index=step.index) for step in run.steps if step.faults]
    if len(faulty) > MOST_FAULTY:
        rest = words("more_steps", count=len(faulty) - MOST_FAULTY)
        faulty = [*faulty[:MOST_FAULTY], rest]
    key = "notice_wrong_end" if faulty else "notice_wrong_end_unknown"
    return words(key, sums=words.enumerate(sums), steps=words.enumerate(faulty))


def _is_right(left: Array | None, wanted: Array) -> bool:
    return left is not None and alike(left, wanted)
