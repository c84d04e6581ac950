"""Scenes of graphs by hand, for payloads: boxes on a grid of columns and rows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.browser.payloads import Call, Var

GAP, MARGIN, ROW_HEIGHT, VARIABLE_HEIGHT = 52.0, 12.0, 90.0, 62.0
HEIGHTS = {"v": VARIABLE_HEIGHT, "f": 34.0, "g": 50.0, "i": 0.0, "o": 0.0}
Place = tuple[float, float]
"""Column and row."""
Joined = tuple[str, str, list[float], float, int]
"""Two items, where on their sides a line ends, how it bends, and its position."""


def whole(variables: Sequence[Var], calls: Sequence[Call], box_width: float) -> dict[str, Any]:
    """Return one scene with everything that has a place."""
    places = {f"v{i}": variable.at for i, variable in enumerate(variables)}
    places |= {f"f{i}": call.at for i, call in enumerate(calls)}
    drawn = {item: at for item, at in places.items() if at is not None}
    lines: list[Joined] = []
    for i, call in enumerate(calls):
        for position, variable in enumerate(call.inputs):
            port = (position + 1) / (len(call.inputs) + 1)
            bend = port - 0.5 if call.inputs.count(variable) > 1 else 0.0
            lines.append((f"v{variable}", f"f{i}", [0.5, port], bend, position))
        lines.append(_level(f"f{i}", f"v{call.output}"))
    group = {"label": "", "shape": 0, "items": list(drawn)}
    shape = _shape(drawn, lines, box_width)
    return {"height": None, "open": [], "groups": [group], "shapes": [shape]}


def folded(calls: Sequence[Call], box_width: float) -> dict[str, Any]:
    """Return a chain in rows of ten within rows of a hundred, and one group of all that follows.

    The chain ends where a variable has several users.
    """
    end = next(i for i, call in enumerate(calls) if calls[i + 1].inputs == call.inputs)
    groups: list[dict[str, Any]] = [{}]
    shapes: list[dict[str, Any]] = []

    def add(label: object, places: Mapping[str, Place], lines: Sequence[Joined]) -> str:
        groups.append({"label": label, "shape": len(shapes), "items": list(places)})
        shapes.append(_shape(places, lines, box_width))
        return f"g{len(groups) - 1}"

    def add_row(label: str, items: Sequence[str]) -> str:
        return add(label, *_row([f"i{len(groups)}", *items, f"o{len(groups)}"]))

    hundreds = []
    for start in range(0, end, 100):
        tens = []
        for first in range(start, min(start + 100, end), 10):
            inside = range(first, min(first + 10, end))
            items = [item for i in inside for item in (f"f{i}", f"v{calls[i].output}")]
            tens.append(add_row(f"{len(inside)} sin", items))
        hundreds.append(add_row(f"{min(100, end - start)} sin", tens))
    hundreds.append(add(["group_line", {"line": "3"}], *_fan(len(groups), calls, end)))
    root = _row(["v0", *hundreds, f"v{calls[-1].output}"])
    groups[0] = {"label": "", "shape": len(shapes), "items": list(root[0])}
    shapes.append(_shape(*root, box_width))
    return {"height": 300.0, "open": [], "groups": groups, "shapes": shapes}


def _level(tail: str, head: str) -> Joined:
    return tail, head, [0.5, 0.5], 0.0, 0


def _row(items: Sequence[str]) -> tuple[dict[str, Place], list[Joined]]:
    """Put items into a row, each with a line to the next."""
    places: dict[str, Place] = {item: (column, 0) for column, item in enumerate(items)}
    return places, [_level(*pair) for pair in pairwise(items)]


def _fan(group: int, calls: Sequence[Call], first: int) -> tuple[dict[str, Place], list[Joined]]:
    """Put functions that all use one variable into a column, and one behind that sums them up."""
    *fan, last = range(first, len(calls))
    entry, total, exit_ = f"i{group}", f"f{last}", f"o{group}"
    places: dict[str, Place] = {entry: (0, len(fan) / 2)}
    lines = []
    for row, i in enumerate(fan):
        function, variable = f"f{i}", f"v{calls[i].output}"
        places |= {function: (1, row), variable: (2, row)}
        lines += [_level(entry, function), _level(function, variable)]
        lines.append((variable, total, [0.5, (row + 1) / (len(fan) + 1)], 0.0, row))
    places |= {total: (3, len(fan) / 2), exit_: (4, len(fan) / 2)}
    return places, [*lines, _level(total, exit_)]


def _shape(
    places: Mapping[str, Place], lines: Sequence[Joined], box_width: float
) -> dict[str, Any]:
    number = {item: i for i, item in enumerate(places)}
    width = {item: 0.0 if item[0] in "io" else box_width for item in places}
    columns: list[tuple[float, float]] = []
    for column in range(1 + int(max((column for column, _ in places.values()), default=0))):
        left = columns[-1][1] + GAP if columns else MARGIN
        widest = max((width[item] for item, at in places.items() if at[0] == column), default=0.0)
        columns.append((left, left + widest))
    lowest = max((row for _, row in places.values()), default=0.0)
    return {
        "width": columns[-1][1] + MARGIN,
        "height": 2 * MARGIN + lowest * ROW_HEIGHT + VARIABLE_HEIGHT,
        "boxes": [
            [columns[int(column)][0], _middle(row), width[item], HEIGHTS[item[0]]]
            for item, (column, row) in places.items()
        ],
        "lines": [
            [
                number[tail],
                number[head],
                ports,
                *_between(places[tail], places[head], columns),
                bend,
                position,
                "",
                None,
            ]
            for tail, head, ports, bend, position in lines
        ],
    }


def _middle(row: float) -> float:
    return MARGIN + row * ROW_HEIGHT + VARIABLE_HEIGHT / 2


def _between(
    start: Place, end: Place, columns: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """Return the sides of the columns between two places, and the levels: on a straight line."""
    passed = range(int(start[0]), int(end[0]) + 1)
    slope = (end[1] - start[1]) / max(end[0] - start[0], 1)
    sides = [side for column in passed for side in columns[column]]
    return sides[1:-1], [_middle(start[1] + slope * (c - start[0])) for c in passed[1:-1]]
