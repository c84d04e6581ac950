"""Where in the cell each function was called, to the very expression."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, square

if TYPE_CHECKING:
    from tests.shell import Shell


def told_of(shell: Shell, cell: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the lines of a cell under the magic, and the data of its functions."""
    ran = shell.run(f"%%grad -q -o bp\n{cell}")
    assert ran.is_fine, ran.text
    data = shell["bp"].to_dict()
    assert data["code"]["first"] == 2
    return data["code"]["lines"], data["functions"]


def marked(lines: list[str], function: dict[str, Any]) -> str:
    """Return the text that a function's range marks in the cell."""
    first_line, first, last_line, last = function["range"]
    text = lines[first_line - 2 : last_line - 1]
    text[-1] = text[-1][:last]
    text[0] = text[0][first:]
    return "\n".join(text)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("y = square(exp(x))", ["exp(x)", "square(exp(x))"]),
        ("if True:\n\ty = x * x + x", ["x * x", "x * x + x"]),
        ("s = 'é𝑥'; 값 = exp(x); y = 값 * 값", ["exp(x)", "값 * 값"]),
        ("y = square(\n    exp(x),\n)", ["exp(x)", "square(\n    exp(x),\n)"]),
        ("\n\ny = x\ny *= exp(x)", ["exp(x)", "y *= exp(x)"]),
        ("def f(v):\n    return square(v)\ny = f(x)", ["square(v)"]),
    ],
)
def test_the_range_is_that_of_the_expression(shell: Shell, cell: str, expected: list[str]) -> None:
    shell.run("x = Variable(np.array(0.5))")
    lines, functions = told_of(shell, cell)
    assert [marked(lines, function) for function in functions] == expected


def test_without_an_expression_there_is_no_range(shell: Shell) -> None:
    shell.run("def f(v):\n    return square(exp(v))\nx = Variable(0.5)")
    _, functions = told_of(shell, "y = f(x)")
    # Of all that the call made, the last is its value.
    assert [function["range"] for function in functions] == [None, [2, 4, 2, 8]]
    x = shell["x"]
    (function, _) = backward_pass(square(exp(x))).to_dict()["functions"]
    assert function["range"] is None


def test_the_range_is_kept_as_data(shell: Shell) -> None:
    shell.run("x = Variable(0.5)")
    _, functions = told_of(shell, "y = square(\n    exp(x)\n)")
    data = json.loads(json.dumps(shell["bp"].to_dict()))
    restored = BackwardPass.from_dict(data).to_dict()["functions"]
    assert [function["range"] for function in restored] == [f["range"] for f in functions]
    data["functions"][0]["range"] = [3, 4, 3, 2]
    with pytest.raises(ValueError, match="a range that does not end before it begins"):
        BackwardPass.from_dict(data)


def parts_of(shell: Shell, cell: str) -> list[list[Any]]:
    """Return the parts of the lines of a cell under the magic."""
    ran = shell.run(f"%%grad -q -o bp\n{cell}")
    assert ran.is_fine, ran.text
    parts: list[list[Any]] = shell["bp"]._payload({})["code"]["expressions"]
    return parts


def text_of(part: str | list[Any]) -> str:
    return part if isinstance(part, str) else "".join(map(text_of, part[1:]))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("y = square(exp(x))", [["y = ", ["f1", "square(", ["f0", "exp(x)"], ")"]]]),
        ("a = x * x; y = exp(a)", [["a = ", ["f0", "x * x"], "; y = ", ["f1", "exp(a)"]]]),
        (
            "y = square(\n    x\n)",
            [["y = ", ["f0", "square("]], ["    ", ["f0", "x"]], [["f0", ")"]]],
        ),
        ("y = x\nfor i in range(3):\n    y = exp(-y)", None),
        ("s = 'é𝑥'; 값 = exp(x); y = 값 * 값", None),
        ("y = square(\n\n    exp(x) + 1,\n)", None),
    ],
)
def test_each_line_is_cut_into_its_expressions(
    shell: Shell, cell: str, expected: list[Any] | None
) -> None:
    shell.run("x = Variable(np.array(0.5))")
    parts = parts_of(shell, cell)
    # Nothing of the cell is lost.
    assert ["".join(map(text_of, line)) for line in parts] == cell.split("\n")
    if expected is not None:
        assert parts == expected


def test_an_expression_stands_for_every_turn_of_its_loop(shell: Shell) -> None:
    shell.run("x = Variable(np.array(0.5))")
    *_, line = parts_of(shell, "y = x\nfor i in range(3):\n    y = exp(-y)")
    assert line == ["    y = ", ["f1,f3,f5", "exp(", ["f0,f2,f4", "-y"], ")"]]


def test_what_nobody_saw_has_no_expressions() -> None:
    x = Variable(0.5)
    assert backward_pass(square(exp(x)))._payload({})["code"] is None
