"""The graph as text for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipygrad.capture.graph import Graph

LEAF, CONSTANT, RESULT = 'fillcolor="#e3f0f9"', 'style="rounded,dashed"', 'fillcolor="#c9e1f3"'
LOOKS = {"leaf": f", {LEAF}", "constant": f", {CONSTANT}", "result": f", {RESULT}"}


def dot_of(graph: Graph, values: Sequence[str], gradients: Sequence[str | None]) -> str:
    """Return the graph in Graphviz's language, functions as ellipses, from left to right.

    Parameters
    ----------
    values, gradients
        A short text for each variable; None for a gradient that is not there.
    """
    return "\n".join(
        [
            "digraph backward_pass {",
            "  rankdir=LR;",
            '  node [fontname="sans-serif", style="rounded,filled", fillcolor="#ffffff"];',
            *(f"  {line};" for line in _lines(graph, values, gradients)),
            "}\n",
        ]
    )


def _lines(graph: Graph, values: Sequence[str], gradients: Sequence[str | None]) -> Iterator[str]:
    for variable, value, gradient in zip(graph.variables, values, gradients, strict=True):
        rows = [variable.name] if variable.name == value else [variable.name, value]
        if variable.kind != "constant":
            rows.append(f"grad {gradient or '–'}")
        look = LOOKS.get(variable.kind, "")
        yield f"v{variable.index} [shape=box, label={_label(*rows)}{look}]"
    for function in graph.functions:
        yield f'f{function.index} [label={_label(function.label)}, fillcolor="#fdf1d8"]'
        yield from (f"v{number} -> f{function.index}" for number in function.inputs)
        yield from (f"f{function.index} -> v{y}" for y in function.outputs if y is not None)


def _label(*rows: str) -> str:
    """Return rows of text as a quoted label.

    In a label a backslash begins an escape of Graphviz's, and an ampersand an HTML entity.
    """
    quoted = (
        row.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", "\\n")
        for row in rows
    )
    return '"' + "\\n".join(quoted).replace("\0", "") + '"'
