"""A backward pass as one JSON-safe dict: the contract between Python and the front end.

Everything that the stepper shows is in the payload, already in words; the front end draws, it does
not compute mathematics. All texts are plain text: they may hold any character and are never markup.

``Number`` below is ``{"text": "2.568", "exact": "2.568050833375483"}``: what is shown, and what a
hover tells. ``null`` where a Number could stand means "not yet" and is shown as a dash, never as 0.

::

    version     1
    title       "Backward pass of y"                  (names the stepper)
    language    "en"
    words       {key: text}                           texts of the interface; {placeholders} in
    braces start       step that is shown first
    notices     [text]                                shown above everything: too large, cut short,
    an error code        null | {"first": 2, "lines": [text]}  the cell's code, the number of its
    first line graph
      width, height     size of the drawing in px; null when the graph is too large to be laid out
      variables [
        name, kind ("leaf" | "constant" | "intermediate" | "result"), line | null, creator | null,
        value (Number), shape ("(3, 2)", "" for a number), box ([x, y, width, height] | null) ]
      functions [
        label, line | null, source | null, generation, inputs [variable], outputs [variable | null],
        step (the step in which it runs backward | null), box ]
      edges [
        function, variable, role ("input" | "output"), position (which input or output),
        points [[x, y], ...]   a start, then three points for each cubic Bezier piece;
                               from left to right: variable -> function for inputs, function ->
                               variable for outputs ]
    steps [                    entry 0 is the start (dy/dy = 1), entry k the k-th function's turn
        function | null, line | null,
        heading         "square: from y to b"
        sentence        one sentence for people
        status          "Step 2 of 3: …", what a screen reader announces
        products [      one for each input of the function (for the start: one, with arriving and
        local null)
            variable, name, constant (bool: no gradient is kept),
            holds (bool: arriving x local is the contribution; a learner's backward may break it)
            arriving, local, contribution, before, after     Numbers or null
        ]
        notes [text]
        picture         bool: the function is one of numbers, and so has a plot; where no step has
                        one, no room is kept
        plot            an SVG document as text, with a column for each product that has a local and
                        is no constant | null (drawn on demand by a kernel, or none) ]
    table
        columns [text], rows [[text]]                 one row for each product of each step;
        row_steps [step]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipygrad.explain.numbers import exact, shape_text, short
from ipygrad.explain.words import describe_start, describe_step, product_holds
from ipygrad.show.layout import shorten, text_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.explain.words import Words
    from ipygrad.show.layout import GraphLayout

VERSION = 1

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Pass:
    """All that is known about a backward pass: what every way of showing it starts from.

    Attributes
    ----------
    graph
        Of one result, or of several when there was no pass.
    run
        The pass, or None when the cell stopped before there was one.
    words
        The language and the number of digits.
    code
        Lines of the cell below the magic, whose line is 1; None when it is not known.
    slopes
        For a step the local derivative for each input, None where it is no number.
    notes
        For a step what a teacher would point at.
    notices
        What is said above everything.
    """

    graph: Graph
    run: BackwardRun | None
    words: Words
    code: tuple[str, ...] | None
    slopes: Callable[[BareStep], Sequence[float | None]]
    notes: Callable[[BareStep], Sequence[str]]
    notices: tuple[str, ...]

    @property
    def steps(self) -> tuple[BareStep, ...]:
        """The functions' turns."""
        return () if self.run is None else self.run.steps

    @property
    def title(self) -> str:
        """Name of the pass."""
        if self.run is None:
            return self.words("title_partial")
        return self.words("title", result=self.graph.variables[self.graph.results[0]].name)


def make_payload(
    shown: Pass,
    layout: GraphLayout | None,
    *,
    plots: Mapping[int, str],
    start: int = 0,
    most_steps: int | None = None,
) -> Json:
    """Put a pass into the dict described above.

    Parameters
    ----------
    layout
        None for a graph that is too large to be drawn at once.
    plots
        SVG documents by number of the step.
    start
        Step that is shown first.
    most_steps
        Leave later steps out.
    """
    steps = shown.steps[:most_steps]
    words = shown.words
    notices = list(shown.notices)
    if layout is None:
        boxes = len(shown.graph.variables) + len(shown.graph.functions)
        notices.append(words("notice_large", boxes=f"{boxes:,}", steps=f"{len(shown.steps):,}"))
    if len(steps) < len(shown.steps):
        notices.append(words("notice_cut", shown=f"{len(steps):,}", steps=f"{len(shown.steps):,}"))
    table_rows, row_steps = table(shown, len(steps))
    return {
        "version": VERSION,
        "title": shown.title,
        "language": words.language,
        "words": dict(words.interface),
        "start": start,
        "notices": notices,
        "code": None if shown.code is None else {"first": 2, "lines": list(shown.code)},
        "graph": _graph(shown, layout, steps),
        "steps": [
            _start(shown),
            *(_step(shown, step, plots.get(step.index)) for step in steps),
        ],
        "table": {
            "columns": list(table_columns(words)),
            "rows": [list(row) for row in table_rows],
            "row_steps": row_steps,
        },
    }


def _number(words: Words, value: np.ndarray | float | None) -> Json | None:
    return None if value is None else {"text": words.number(value), "exact": exact(value)}


def _graph(shown: Pass, layout: GraphLayout | None, steps: Sequence[BareStep]) -> Json:
    graph = shown.graph
    turn = {step.function: step.index for step in steps}

    def variable(node: VariableNode) -> Json:
        return {
            "name": node.name,
            "kind": node.kind,
            "line": node.line,
            "creator": node.creator,
            "value": _number(shown.words, node.value),
            "shape": shape_text(node.value.shape),
            "box": None if layout is None else list(layout.variables[node.index]),
        }

    return {
        "width": None if layout is None else layout.width,
        "height": None if layout is None else layout.height,
        "variables": [variable(node) for node in graph.variables],
        "functions": [
            {
                "label": node.label,
                "line": node.line,
                "source": node.source,
                "generation": node.generation,
                "inputs": list(node.inputs),
                "outputs": list(node.outputs),
                "step": turn.get(node.index),
                "box": None if layout is None else list(layout.functions[node.index]),
            }
            for node in graph.functions
        ],
        "edges": [
            {
                "function": edge.function,
                "variable": edge.variable,
                "role": edge.role,
                "position": edge.position,
                "points": [list(point) for point in edge.points],
            }
            for edge in (() if layout is None else layout.edges)
        ],
    }


def _start(shown: Pass) -> Json:
    said = describe_start(shown.words, shown.graph, shown.run)
    products = []
    line = None
    if shown.run is not None:
        result = shown.graph.variables[shown.graph.results[0]]
        line = result.line
        products.append(
            {
                "variable": result.index,
                "name": result.name,
                "constant": False,
                "holds": True,
                "arriving": None,
                "local": None,
                "contribution": _number(shown.words, shown.run.cotangent),
                "before": None,
                "after": _number(shown.words, shown.run.cotangent),
            }
        )
    return {
        "function": None,
        "line": line,
        "heading": said.heading,
        "sentence": said.sentence,
        "status": said.status,
        "products": products,
        "notes": [],
        "picture": False,
        "plot": None,
    }


def _step(shown: Pass, step: BareStep, plot: str | None) -> Json:
    node = shown.graph.functions[step.function]
    words = shown.words
    slopes = shown.slopes(step)
    said = describe_step(words, shown.graph, step, len(shown.steps), slopes)
    arriving = arriving_number(words, step)
    products = []
    for argnum, variable in enumerate(node.inputs):
        contribution = step.contributions[argnum]
        slope = slopes[argnum]
        products.append(
            {
                "variable": variable,
                "name": shown.graph.variables[variable].name,
                "constant": contribution is None,
                "holds": slope is None or product_holds(step, argnum, slope),
                "arriving": arriving,
                "local": _number(words, slope),
                "contribution": _number(words, contribution),
                "before": _number(words, step.before[argnum]),
                "after": _number(words, step.after[argnum]),
            }
        )
    return {
        "function": step.function,
        "line": node.line,
        "heading": said.heading,
        "sentence": said.sentence,
        "status": said.status,
        "products": products,
        "notes": list(shown.notes(step)),
        "picture": any(product["local"] and not product["constant"] for product in products),
        "plot": plot,
    }


def arriving_number(words: Words, step: BareStep) -> Json:
    """Return what arrives at a step's function as a Number; several outputs are listed."""
    if len(step.cotangents) == 1:
        return {"text": words.number(step.cotangents[0]), "exact": exact(step.cotangents[0])}
    return {
        "text": "; ".join(words.number(cotangent) for cotangent in step.cotangents),
        "exact": "; ".join(exact(cotangent) for cotangent in step.cotangents),
    }


def table_columns(words: Words) -> tuple[str, ...]:
    """Return the headings of the table of a pass."""
    keys = [
        "step",
        "function",
        "line",
        "arriving",
        "local",
        "contribution",
        "variable",
        "before",
        "after",
    ]
    return tuple(words(f"column_{key}") for key in keys)


def table(shown: Pass, most_steps: int | None = None) -> tuple[list[tuple[str, ...]], list[int]]:
    """Return the table of a pass and, for each row, the number of its step.

    One row for the start, then one for each input of each step; constants are left out.
    """
    words, graph = shown.words, shown.graph
    if shown.run is None:
        return [], []
    result = graph.variables[graph.results[0]]
    start = words.number(shown.run.cotangent)
    line = "" if result.line is None else str(result.line)
    rows: list[tuple[str, ...]] = [
        ("0", words("start"), line, "", "", start, result.name, short(None), start)
    ]
    row_steps = [0]
    for step in shown.steps[:most_steps]:
        node = graph.functions[step.function]
        slopes = shown.slopes(step)
        for argnum, variable in enumerate(node.inputs):
            if step.contributions[argnum] is None:
                continue
            slope = slopes[argnum]
            rows.append(
                (
                    str(step.index),
                    node.label,
                    "" if node.line is None else str(node.line),
                    arriving_number(words, step)["text"],
                    "" if slope is None else words.number(slope),
                    words.number(step.contributions[argnum]),
                    graph.variables[variable].name,
                    words.number(step.before[argnum]),
                    words.number(step.after[argnum]),
                )
            )
            row_steps.append(step.index)
    return rows, row_steps


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]], limit: int = 18) -> str:
    """Return a table as aligned text; a cell of more than `limit` columns is cut."""
    cells = [[shorten(cell, limit) for cell in row] for row in (columns, *rows)]
    widths = [max(map(text_columns, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = [
            cell + " " * (w - text_columns(cell)) for cell, w in zip(row, widths, strict=True)
        ]
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])
