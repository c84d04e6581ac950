"""A pass in a terminal: with rich, where that is installed, else as plain text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ipygrad.show.tables import NAMES, cells_of, column_widths, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ipygrad.show.payload import Pass


def renderables(
    shown: Pass, below: Sequence[str], most: int | None, width: int
) -> list[RenderableType]:
    """Return what rich prints: title, notices, the table, notes. Only rich asks for this.

    Parameters
    ----------
    below
        Sentences below the table.
    most
        Steps, or variables, to show; None for all.
    width
        Of the terminal, in columns.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    keys, cells = cells_of(shown, most)
    # Two columns from cell to cell. By itself rich would fold numbers before it cuts names.
    widths = column_widths(keys, cells, width)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for key, heading, columns in zip(keys, cells[0], widths, strict=True):
        is_name = key in NAMES
        table.add_column(
            heading,
            width=columns,
            style="cyan" if is_name else "bold" if key == "contribution" else "",
            overflow="ellipsis" if is_name else "fold",
            no_wrap=is_name,
        )
    for row in cells[1:]:
        # As Text, since in a string rich would take what stands in brackets for markup.
        table.add_row(*map(Text, row))
    return [
        Text(visible(shown.title), style="bold"),
        *(Text(visible(notice), style="italic") for notice in shown.notices),
        Text(),
        table,
        *(Text(visible(sentence)) for sentence in below),
    ]


def show_in_terminal(value: object) -> None:
    """Print a value, with rich where it is installed and somebody looks."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            pass
        else:
            Console().print(value)
            return
    print(value)
