"""The table of a pass: a row for each product of each step, as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ipygrad.explain.loops import short_loop_turns
from ipygrad.explain.numbers import short
from ipygrad.explain.products import elementwise_formula, is_written_out
from ipygrad.show.sizes import text_columns

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
    from ipygrad.explain.words import Words
    from ipygrad.show.payload import Pass


class Table(NamedTuple):
    """The table of a pass, as texts.

    Attributes
    ----------
    columns
        Headings.
    rows
        One text for each column.
    row_steps
        For each row the number of its step.
    row_ends
        For each row the numbers of the variable and of the function that it is about; None for
        none.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    row_steps: list[int]
    row_ends: list[tuple[int | None, int | None]]


PASS_COLUMNS = (
    "step",
    "function",
    "line",
    "arriving",
    "local",
    "contribution",
    "variable",
    "before",
    "after",
)
GRAPH_COLUMNS = ("name", "value", "made_by", "line")


def table(
    shown: Pass,
    most: int | None = None,
    *,
    longest_local: int | None = None,
    told: Container[int] | None = None,
) -> Table:
    """Return the table of a pass, or of a graph without a pass, in which all rows are step 0's.

    A pass has one row for the start, then one for each input of each step; constants are left out,
    but a step of nothing else has a row of dashes. Behind the line of a function that a loop called
    stands in which turn, of how many: "5 (2/3)". A graph has one row for each variable that is
    no constant.

    Parameters
    ----------
    most
        Steps, or variables, to show; None for all.
    longest_local
        Columns that a local derivative may take with its formula, "2·b = 2.568", before that is
        left out; None for any number.
    told
        Numbers of the steps whose local derivatives have formulas; None for all. Of the others
        those are there that have been found.
    """
    if shown.run is None:
        nodes = [node for node in shown.graph.variables if node.kind != "constant"][:most]
        rows = [_variable_row(shown, node) for node in nodes]
        ends: list[tuple[int | None, int | None]] = [(node.index, None) for node in nodes]
        return Table(_headings(shown.words, GRAPH_COLUMNS), rows, [0] * len(rows), ends)
    words, graph = shown.words, shown.graph
    result = graph.variables[graph.results[0]]
    start = words.number(shown.run.cotangent)
    rows = [
        ("0", words("start"), _line(result), "", "", start, result.name, short(None), start),
    ]
    row_steps = [0]
    row_ends: list[tuple[int | None, int | None]] = [(result.index, None)]
    for step in shown.steps[:most]:
        of_step = _step_rows(shown, step, longest_local, is_told=told is None or step.index in told)
        rows += of_step
        row_steps += [step.index] * len(of_step)
        reached: list[int | None] = [
            number
            for number, contribution in zip(
                graph.functions[step.function].inputs, step.contributions, strict=True
            )
            if contribution is not None
        ]
        row_ends += [(number, step.function) for number in reached or [None]]
    return Table(_headings(words, PASS_COLUMNS), rows, row_steps, row_ends)


def _headings(words: Words, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(words(f"column_{key}") for key in keys)


def _line(node: VariableNode | FunctionNode) -> str:
    return "" if node.line is None else str(node.line)


def _step_rows(
    shown: Pass, step: BareStep, longest: int | None, *, is_told: bool
) -> list[tuple[str, ...]]:
    words, graph = shown.words, shown.graph
    node = graph.functions[step.function]
    arriving = "; ".join(map(words.number, step.cotangents))
    turns = short_loop_turns(node.turns)
    line = f"{_line(node)} ({turns})" if turns else _line(node)
    turn = (str(step.index), node.label, line, arriving)
    rows: list[tuple[str, ...]] = [
        (
            *turn,
            _local(shown, step, argnum, longest, is_told=is_told),
            words.number(contribution),
            graph.variables[node.inputs[argnum]].name,
            words.number(step.before[argnum]),
            words.number(step.after[argnum]),
        )
        for argnum, contribution in enumerate(step.contributions)
        if contribution is not None
    ]
    return rows or [(*turn, *[short(None)] * (len(PASS_COLUMNS) - len(turn)))]


def _local(shown: Pass, step: BareStep, argnum: int, longest: int | None, *, is_told: bool) -> str:
    """Return a local derivative with its formula, where that fits and is not the number itself."""
    findings = shown.findings
    slope = (findings.slopes if is_told else findings.known_slopes)(step)[argnum]
    if slope is None:
        return ""
    number = shown.words.number(slope)
    if not is_told:
        return number
    formula = elementwise_formula(shown.graph, step, argnum)
    if formula is None or is_written_out(formula) or formula.text == number:
        return number
    both = f"{formula.text} = {number}"
    return number if longest is not None and text_columns(both) > longest else both


def _variable_row(shown: Pass, node: VariableNode) -> tuple[str, ...]:
    return node.name, shown.words.number(node.value), made_by(shown.graph, node), _line(node)


def made_by(graph: Graph, node: VariableNode) -> str:
    """Return the call that made a variable, in names; nothing for a leaf."""
    if node.creator is None:
        return ""
    creator = graph.functions[node.creator]
    return f"{creator.label}({', '.join(graph.variables[v].name for v in creator.inputs)})"
