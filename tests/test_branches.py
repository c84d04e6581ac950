"""Which lines of a cell are of branches that it has not taken."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ipygrad import BackwardPass
from ipygrad.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Shell


def untaken_in(shell: Shell, cell: str) -> list[str]:
    """Return the lines of a cell that are told to be untaken."""
    shell.run("x = Variable(np.array(0.5))")
    ran = shell.run(f"%%grad -q -o bp\n{cell}")
    assert ran.is_fine, ran.text
    assert sys.gettrace() is None
    return lines_of(shell["bp"]._payload({})["code"])


def lines_of(code: dict[str, Any]) -> list[str]:
    return [code["lines"][number - code["first"]].strip() for number in code["untaken"]]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(
            "if x.data > 0:\n    y = exp(x)\nelse:\n    # small\n    y = square(x)",
            ["else:", "# small", "y = square(x)"],
            id="else",
        ),
        pytest.param(
            "if x.data > 1:\n    y = exp(x)\nelif x.data > 0:\n    y = square(x)\n"
            "elif x.data > -1:\n    y = x * x",
            ["y = exp(x)", "elif x.data > -1:", "y = x * x"],
            id="elif",
        ),
        pytest.param(
            "y = x\nfor i in range(3):\n    if i == 1:\n        y = exp(y)\n    else:\n"
            "        y = y * x",
            [],
            id="each in another turn",
        ),
        pytest.param(
            "y = x\nfor i in range(3):\n    y = exp(y)\n    if i == 1:\n        break\nelse:\n"
            "    y = square(y)",
            ["else:", "y = square(y)"],
            id="for with else",
        ),
        pytest.param(
            "y = exp(x)\nfor _ in []:\n    y = square(y)\nwhile y.data < 0:\n    y = y + 1",
            ["y = square(y)", "y = y + 1"],
            id="loops without a turn",
        ),
        pytest.param(
            "try:\n    y = exp(x)\nexcept ValueError:\n    y = square(x)\nelse:\n    y = y * y\n"
            "finally:\n    n = 1",
            ["except ValueError:", "y = square(x)"],
            id="try",
        ),
        pytest.param(
            "try:\n    1 / 0\nexcept ValueError:\n    y = square(x)\nexcept ZeroDivisionError:\n"
            "    y = exp(x)\nelse:\n    y = x * x",
            ["y = square(x)", "else:", "y = x * x"],
            id="a handler of another error",
        ),
        pytest.param(
            "match 2:\n    case 1:\n        y = exp(x)\n    case 2:\n        y = square(x)\n"
            "    case _:\n        y = x * x",
            ["y = exp(x)", "case _:", "y = x * x"],
            id="match",
        ),
        pytest.param(
            "def f(v):\n    if v.data > 1:\n        return exp(v)\n    return square(v)\n"
            "def g(v):\n    return exp(v)\ny = f(x)",
            ["return exp(v)", "return exp(v)"],
            id="functions",
        ),
        pytest.param(
            "class Twice(Function):\n    def forward(self, x):\n        return 2 * x\n"
            "    def backward(self, gy):\n        return 2 * gy\ny = Twice()(x)",
            [],
            id="methods",
        ),
        pytest.param("y = exp(x) if x.data > 0 else square(x)", [], id="inside of a line"),
        pytest.param("if x.data > 1: y = square(x)\ny = exp(x)", [], id="in the line of its if"),
        pytest.param("y = exp(x)", [], id="without branches"),
    ],
)
def test_branches_that_were_not_taken_are_told(
    shell: Shell, cell: str, expected: list[str]
) -> None:
    assert untaken_in(shell, cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("y = exp(x)\nif 1 / 0:\n    y = square(y)\nelse:\n    y = y * y", []),
        (
            "y = exp(x)\nif x.data > 0:\n    1 / 0\nelse:\n    y = y * y",
            ["else:", "y = y * y"],
        ),
        ("y = exp(x)\nfor i in range(2):\n    1 / 0\nelse:\n    y = y * y", []),
        ("def f(v):\n    return exp(v)\ny = exp(x)\n1 / 0\ny = f(y)", []),
        ("y = exp(x)\n1 / 0\nif x:\n    y = y * y", []),
        ("y = exp(x)\ntry:\n    1 / 0\nexcept ValueError:\n    y = y * y", []),
    ],
)
def test_what_an_error_left_undecided_is_not_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, cell: str, expected: list[str]
) -> None:
    passes: list[BackwardPass] = []
    monkeypatch.setattr(
        "ipygrad.magic.steppers.Steppers.show", lambda _self, bp, _display_as: passes.append(bp)
    )
    shell.run("x = Variable(np.array(0.5))")
    assert not shell.run(f"%%grad\n{cell}").is_fine
    assert sys.gettrace() is None
    (bp,) = passes
    assert lines_of(bp._payload({})["code"]) == expected


def test_it_is_kept_as_data_and_what_if(shell: Shell) -> None:
    untaken_in(shell, "y = exp(x)\nif x.data > 1:\n    y = square(y)")
    bp = shell["bp"]
    code = bp._payload({})["code"]
    assert code["untaken"] == [4]
    data = json.loads(json.dumps(bp.to_dict()))
    assert BackwardPass.from_dict(data)._payload({})["code"] == code
    assert bp.what_if(x=2.0)._payload({})["code"] == code
    data["code"]["untaken"] = [5]
    with pytest.raises(ValueError, match=r"code.untaken\[0\] is 5, but should be a whole number"):
        BackwardPass.from_dict(data)
    # No cell has run.
    shell.run("%grad y -q -o later")
    assert shell["later"]._payload({})["code"] is None


def test_a_script_tells_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[BackwardPass] = []
    monkeypatch.setattr("ipygrad.__main__.show_in_terminal", passes.append)
    script = tmp_path / "script.py"
    script.write_text(
        "from ipygrad import Variable, exp, square\nx = Variable(0.5)\n"
        "if x.data > 1:\n    y = exp(x)\nelse:\n    y = square(x)\n"
    )
    assert main([str(script)]) == 0
    (bp,) = passes
    assert bp._payload({})["code"]["untaken"] == [4]


def test_under_a_debugger_nothing_is_told(shell: Shell) -> None:
    def trace(*_: object) -> None:
        return None

    shell.run("x = Variable(0.5)")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ran = shell.run("%%grad -q -o bp\ny = exp(x)\nif x.data > 1:\n    y = square(y)")
    finally:
        sys.settrace(before)
    assert ran.is_fine
    assert shell["bp"]._payload({})["code"]["untaken"] == []
