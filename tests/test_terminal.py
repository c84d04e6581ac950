"""What a terminal shows: a table that fits, and pages made of scripts."""

from __future__ import annotations

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, square
from ipygrad.show.layout import text_columns


def widest(text: str) -> int:
    """Return the columns of the widest line of a table."""
    title, _, *rows = text.splitlines()
    assert title.startswith("Backward pass of")
    return max(map(text_columns, rows))


def cells(text: str, row: int) -> list[str]:
    """Return a row's cells, put together again where they were folded."""
    lines = text.splitlines()
    rule = next(place for place, line in enumerate(lines) if line.startswith("---"))
    ends = [place for place, letter in enumerate(lines[rule] + " ") if letter == " "][::2]
    starts = [0, *(end + 2 for end in ends[:-1])]
    rows: list[list[str]] = []
    for line in lines[rule + 1 :]:
        parts = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if parts[0]:
            rows.append(parts)
        else:
            rows[-1] = [a + b for a, b in zip(rows[-1], parts, strict=True)]
    return rows[row]


def test_the_seed_table_fits_and_cuts_nothing() -> None:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    text = backward_pass(y).table()
    assert widest(text) <= 80
    assert "…" not in text
    assert cells(text, 2) == ["2", "exp", "2.568", "1.284", "3.297", "a", "–", "3.297"]


def test_a_wide_table_shrinks_names_and_keeps_every_digit() -> None:
    x = Variable(-1.2345678901234567, name="一つの長い名前を持つ変数")
    y = exp(square(x) * 1e-3) * 1e-200
    pass_ = backward_pass(y)
    bp = BackwardPass(pass_.graph, pass_._run, digits=17)
    text = bp.table()
    assert widest(text) <= 80
    contribution = next(c for c in bp[3].contributions if c is not None)
    assert float(cells(text, 4)[4]) == contribution
    assert widest(bp.table(width=60)) <= 60
    assert widest(bp.table(width=200)) > 80
    assert "一つの長い名前を持つ変数" in bp.table(width=200)


def test_arrays_go_on_in_the_next_line() -> None:
    x = Variable(np.array([1.0, 2.0, 3.0, 4.0]) / 7)
    text = backward_pass((x * x * 1e-7).sum()).table()
    assert widest(text) <= 80
    assert "[1.235e-7" not in text
    assert "[1e-7,1e-7,1e-7,1e-7]" in [cell.replace(" ", "") for cell in cells(text, 2)]


def test_a_column_without_entries_is_left_out() -> None:
    assert "line" not in backward_pass(square(Variable(0.5))).table()


def test_names_cannot_command_the_terminal() -> None:
    x = Variable(0.5, name="\x1b[31mred\nx")
    text = backward_pass(square(x)).table(width=120)
    assert "\x1b" not in text
    assert r"\x1b[31mred\nx" in text


@pytest.mark.parametrize("width", [0, 59, -1])
def test_too_narrow_a_table(width: int) -> None:
    with pytest.raises(ValueError, match="at least 60"):
        backward_pass(square(Variable(0.5))).table(width=width)
