"""How long texts are, and how large boxes have to be for them."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import east_asian_width

Size = tuple[float, float]
"""Width and height of a box, px."""

NAME_COLUMNS = 18
"""Longest text of a row in a box, in columns of a terminal: a wide character takes two."""
COLUMN_WIDTH = 7.8
"""Estimated width of a column in the drawing's 13 px font, px."""
PADDING = 20.0
"""What a box is wider than its text, px."""
VARIABLE_HEIGHT, VARIABLE_WIDTH = 62.0, 96.0
"""Height and least width of a variable's box (three rows of text), px."""
FUNCTION_HEIGHT, FUNCTION_WIDTH = 34.0, 56.0
"""Least height and width of a function's box (one row of text), px."""
PORT_GAP = 8.0
"""Least distance between the ends of two edges on one side of a function's box, px."""

# Not among them are the subscripts, which nearly all names of a long pass have.
_MAYBE_WIDE = re.compile("[\u1100-\u115f\u2300-\U0010ffff]").findall


def text_columns(text: str) -> int:
    """Count the columns that a text takes in a terminal: two for a wide East Asian character."""
    if text.isascii():
        return len(text)
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in _MAYBE_WIDE(text))


def shorten(text: str, columns: int = NAME_COLUMNS) -> str:
    """Cut a text to a number of columns; an ellipsis, one of them, stands for what is missing."""
    if text_columns(text) <= columns:
        return text
    kept = ""
    free = columns - 1
    for character in text:
        free -= text_columns(character)
        if free < 0:
            break
        kept += character
    return kept.rstrip() + "…"


def variable_size(name: str, text: str) -> Size:
    """Return the size of a variable's box."""
    return box_width(VARIABLE_WIDTH, name, text), VARIABLE_HEIGHT


@lru_cache
def function_size(label: str, ends: int) -> Size:
    """Return the size of a function's box with so many edges on a side."""
    return box_width(FUNCTION_WIDTH, label), max(FUNCTION_HEIGHT, PORT_GAP * (ends + 1))


def box_width(least: float, *rows: str) -> float:
    """Estimate how wide a box has to be for its rows of text, px."""
    columns = max(map(_shown_columns, rows))
    return max(least, round(columns * COLUMN_WIDTH + PADDING, 1))


def _shown_columns(row: str) -> int:
    columns = text_columns(row)
    return columns if columns <= NAME_COLUMNS else text_columns(shorten(row))


@lru_cache
def port(position: int, count: int) -> float:
    """Spread ends evenly along a side, from -½ (its top) to +½ (its bottom)."""
    return (position + 1) / (count + 1) - 0.5
