"""Where the labels of edges stand: each in the gap between two columns, on its own edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Point = tuple[float, float]

LABEL_COLUMN, LABEL_HEIGHT = 6.4, 14.0
"""Estimated width of a column, and height of a line, in the labels' 11 px font, px."""
LABEL_ROOM = 28.0
"""What a gap is wider than its widest label, px: two arrow heads and some of the line."""
PLACES = (0.5, 0.35, 0.65)
"""Where on its edge a label may stand, as the curve's parameter: the first free one is taken."""


def place_labels(pieces: Sequence[Sequence[Point]], widths: Sequence[float]) -> list[Point | None]:
    """Return the middle of each label, or None where there is nothing to write or no room left.

    Parameters
    ----------
    pieces
        For each label the cubic Bezier piece by which its edge crosses the gap between two columns,
        four points in px.
    widths
        Width of each label in px, at least LABEL_ROOM less than the gap; 0 for none.
    """
    taken: dict[float, list[tuple[Point, float]]] = {}
    places: list[Point | None] = []
    for piece, width in zip(pieces, widths, strict=True):
        others = taken.setdefault(piece[0][0], [])
        free = (
            point
            for point in (_on_curve(piece, t) for t in PLACES)
            if piece[0][0] <= point[0] - width / 2 <= piece[-1][0] - width
            and not any(_touch(point, width, *other) for other in others)
        )
        place = next(free, None) if width else None
        if place:
            others.append((place, width))
        places.append(place)
    return places


def _on_curve(piece: Sequence[Point], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x = sum(weight * point[0] for weight, point in zip(weights, piece, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, piece, strict=True))
    return round(x, 1), round(y, 1)


def _touch(one: Point, width: float, other: Point, other_width: float) -> bool:
    beside = abs(one[0] - other[0]) >= (width + other_width) / 2
    return not beside and abs(one[1] - other[1]) < LABEL_HEIGHT
