"""The table of a pass as aligned text, as Markdown and as a pandas frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ipygrad.explain.products import elementwise_formula
from ipygrad.show.rows import GRAPH_COLUMNS, PASS_COLUMNS, made_by, table
from ipygrad.show.sizes import shorten, text_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import pandas as pd

    from ipygrad.capture.backward import BareStep
    from ipygrad.show.payload import Pass

WIDTH = 80
"""Columns of a terminal that nobody has widened."""
LONGEST_LOCAL = 18
"""In a terminal, a local derivative with its formula takes at most so many columns."""
GAP = "  "
LEAST_NAME, LEAST = 6, 4
FRAME_COLUMNS = (*PASS_COLUMNS[:4], "formula", *PASS_COLUMNS[4:])
NAMES = {"function", "variable", "name", "made_by"}
"""What is cut where room is short. Numbers go on in the next line: one that is cut is wrong."""


def cells_of(
    shown: Pass, most: int | None = None, *, longest_local: int | None = LONGEST_LOCAL
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return keys of columns, then headings and rows as text, without columns that are empty."""
    keys = GRAPH_COLUMNS if shown.run is None else PASS_COLUMNS
    columns, rows, *_ = table(shown, most, longest_local=longest_local)
    kept = [place for place, _ in enumerate(keys) if any(row[place] for row in rows)]
    cells = [tuple(visible(row[place]) for place in kept) for row in (columns, *rows)]
    return [keys[place] for place in kept], cells


def visible(text: str) -> str:
    """Replace what would move a terminal's cursor or change its colours by its escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


# --- text ---------------------------------------------------------------------------------------


def text_table(shown: Pass, most: int | None = None, width: int = WIDTH) -> str:
    """Return the table as aligned text, at most `width` columns wide, from 60 on.

    Headings and numbers that are too long go on in the next line, names are cut.

    Parameters
    ----------
    most
        Steps, or variables, to show; None for all.
    """
    keys, cells = cells_of(shown, most)
    if not keys:
        return ""
    widths = column_widths(keys, cells, width)

    def lines(row: Sequence[str]) -> Iterator[str]:
        folded = [
            [shorten(cell, width)] if key in NAMES and row is not cells[0] else fold(cell, width)
            for key, cell, width in zip(keys, row, widths, strict=True)
        ]
        for number in range(max(map(len, folded))):
            parts = [cell[number] if number < len(cell) else "" for cell in folded]
            padded = (
                part + " " * (w - text_columns(part)) for part, w in zip(parts, widths, strict=True)
            )
            yield GAP.join(padded).rstrip()

    rule = GAP.join("-" * width for width in widths)
    return "\n".join([*lines(cells[0]), rule, *(line for row in cells[1:] for line in lines(row))])


def column_widths(keys: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Share `width` among the columns and the gaps between them, taking from the widest first."""
    columns = list(zip(*cells, strict=True))
    widths = [max(map(text_columns, column)) for column in columns]
    words = [_longest_word(*column) for column in columns]
    headings = [max(LEAST_NAME, _longest_word(heading)) for heading in cells[0]]
    names = [key in NAMES for key in keys]
    values = [max(map(text_columns, column[1:]), default=0) for column in columns]
    # What may be taken from, one after the other: headings, what folds between words, names,
    # anything.
    stages = [
        [
            max(value, _longest_word(heading))
            for value, heading in zip(values, cells[0], strict=True)
        ],
        [w if name else word for w, word, name in zip(widths, words, names, strict=True)],
        [least if name else word for least, word, name in zip(headings, words, names, strict=True)],
        headings,
        [LEAST] * len(keys),
    ]
    too_wide = sum(widths) + len(GAP) * (len(widths) - 1) - width
    for least in stages:
        while too_wide > 0:
            free = [place for place, w in enumerate(widths) if w > least[place]]
            if not free:
                break
            widths[max(free, key=widths.__getitem__)] -= 1
            too_wide -= 1
    # Between words a column may fold at less than it was left.
    return [
        wide if is_name else max(text_columns(line) for cell in column for line in fold(cell, wide))
        for wide, is_name, column in zip(widths, names, columns, strict=True)
    ]


def _longest_word(*texts: str) -> int:
    return max(text_columns(word) for text in texts for word in text.split(" "))


def fold(text: str, columns: int) -> list[str]:
    """Break a text into lines of so many columns, between words where that can be."""
    if text_columns(text) <= columns:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if text_columns(longer) <= columns:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if text_columns(lines[-1] + letter) > columns:
                lines.append("")
            lines[-1] += letter
    return lines


# --- Markdown -----------------------------------------------------------------------------------


def markdown_table(shown: Pass) -> str:
    """Return the table as GitHub's Markdown has them, names as code, nothing cut."""
    keys, cells = cells_of(shown, longest_local=None)
    rule = ["---"] * len(keys)
    rows = [
        [MARKDOWN.get(key, visible)(cell) for key, cell in zip(keys, row, strict=True)]
        for row in cells[1:]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *rows))


def _code(text: str) -> str:
    if not text:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    # A bar would end the cell, inside code as well.
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def markdown_sentence(text: str) -> str:
    """Return a sentence whose letters Markdown leaves as they are."""
    return re.sub(r"([\\`*_<>|$~])", r"\\\1", visible(text)).replace("[", "&#91;")


MARKDOWN = {**dict.fromkeys(NAMES, _code), "local": markdown_sentence}
"""How cells are written that hold names; all others are numbers."""


# --- pandas -------------------------------------------------------------------------------------


def frame(shown: Pass) -> pd.DataFrame:
    """Return the table as a frame with exact values: see `BackwardPass.to_frame`.

    Raises
    ------
    ImportError
        When pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            "to_frame makes a pandas frame, and pandas is not installed: pip install pandas, or "
            "use table() or to_dict()"
        ) from None
    keys = GRAPH_COLUMNS if shown.run is None else FRAME_COLUMNS
    rows = list(_variable_values(shown) if shown.run is None else _step_values(shown))
    made = pd.DataFrame(rows, columns=list(keys))
    return made.astype({key: "Int64" for key in ("step", "line") if key in keys})


def _step_values(shown: Pass) -> Iterator[tuple[Any, ...]]:
    graph = shown.graph
    result = graph.variables[graph.results[0]]
    start = _value(None if shown.run is None else shown.run.cotangent)
    name = shown.words("start")
    yield (0, name, result.line, None, None, None, start, result.name, None, start)
    for step in shown.steps:
        node = graph.functions[step.function]
        slopes = shown.findings.slopes(step)
        turn = (step.index, node.label, node.line, _arriving(step))
        rows = [
            (
                *turn,
                _formula_text(shown, step, argnum),
                _value(slopes[argnum]),
                _value(contribution),
                graph.variables[node.inputs[argnum]].name,
                _value(step.before[argnum]),
                _value(step.after[argnum]),
            )
            for argnum, contribution in enumerate(step.contributions)
            if contribution is not None
        ]
        yield from rows or [(*turn, *[None] * (len(FRAME_COLUMNS) - len(turn)))]


def _formula_text(shown: Pass, step: BareStep, argnum: int) -> str | None:
    formula = elementwise_formula(shown.graph, step, argnum)
    return None if formula is None else formula.text


def _variable_values(shown: Pass) -> Iterator[tuple[Any, ...]]:
    for node in shown.graph.variables:
        if node.kind != "constant":
            yield node.name, _value(node.value), made_by(shown.graph, node), node.line


def _value(value: np.ndarray | float | None) -> Any:
    """Return a number as such, and an array as it is."""
    return value.item() if value is not None and getattr(value, "ndim", 1) == 0 else value  # type: ignore[union-attr]


def _arriving(step: BareStep) -> Any:
    values = tuple(_value(cotangent) for cotangent in step.cotangents)
    return values[0] if len(values) == 1 else values
