"""The code of the cell, as the payload has it: its lines, and the expressions in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import FunctionNode
    from ipygrad.show.payload import Kept, Pass

Json = dict[str, Any]
Place = tuple[int, int]
"""From one column of a line to another; the second is not in it."""


def code_of(shown: Pass, steps: Sequence[BareStep], kept: Kept) -> Json | None:
    """Return the code of the cell; None where it is not known."""
    if shown.code is None:
        return None
    functions = shown.graph.functions
    items: list[list[str]] = [[] for _ in shown.code]
    for step in steps:
        line = functions[step.function].line
        if line is not None and 0 <= line - shown.first_line < len(items):
            items[line - shown.first_line].append(f"f{kept.functions[step.function]}")
    calls: list[dict[Place, list[str]]] = [{} for _ in shown.code]
    for node in functions:
        if node.index not in kept.functions:
            continue
        for line, place in _places(node, shown.code, shown.first_line):
            calls[line].setdefault(place, []).append(f"f{kept.functions[node.index]}")
    return {
        "first": shown.first_line,
        "lines": list(shown.code),
        "expressions": [
            _parts(text, 0, len(text), sorted(of_line.items(), key=_outermost_first))
            for text, of_line in zip(shown.code, calls, strict=True)
        ],
        "items": [",".join(of_line) for of_line in items],
        "untaken": list(shown.untaken),
    }


def _places(
    node: FunctionNode, lines: Sequence[str], first_line: int
) -> Iterable[tuple[int, Place]]:
    """Yield where the expression of a call stands, line by line; the whole line if that is all."""
    if node.line is None:
        return
    top, left, bottom, right = node.span or (node.line, 0, node.line, None)
    for line in range(top, bottom + 1):
        if not 0 <= line - first_line < len(lines):
            continue
        text = lines[line - first_line]
        # What a line begins with, and its end, belong to no expression.
        start = left if line == top else len(text) - len(text.lstrip())
        end = len(text) if line < bottom or right is None else right
        yield line - first_line, (start, end)


def _outermost_first(call: tuple[Place, list[str]]) -> Place:
    (start, end), _ = call
    return start, -end


def _parts(text: str, start: int, end: int, calls: list[tuple[Place, list[str]]]) -> list[Any]:
    """Cut the text between two columns into texts and expressions, taking these from `calls`."""
    parts: list[Any] = []
    at = start
    while calls and calls[0][0][0] < end:
        (first, last), items = calls.pop(0)
        inner = _parts(text, first, min(last, end), calls)
        parts += [text[at:first], [",".join(items), *inner]]
        at = min(last, end)
    return [part for part in (*parts, text[at:end]) if part]
