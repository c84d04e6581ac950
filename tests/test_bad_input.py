"""Bad input gets one clear message, and the next ``%%grad`` works."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

from ipygrad import BackwardError, Function, Variable, backward_pass
from tests.shell import SEED, Shell

CLASSES = """\
class Cube(Function):
    def forward(self, x):
        return x ** 3
    def backward(self, gy):
        {body}
"""


@pytest.fixture(autouse=True)
def _the_next_cell_works(shell: Shell) -> object:
    yield
    ran = shell.run("%%grad\n" + SEED)
    assert ran.is_fine
    assert "Backward pass of y" in ran.text
    assert shell["x"].grad == 3.297442541400256
    return None


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%grad\n3", "the cell ends in an int"),
        ("%%grad\nnp.ones(3)", "the cell ends in an ndarray of shape (3,), which has no history"),
        ("%%grad\nprint('hello')", "no name in the cell holds a Variable that a function made"),
        ("%%grad\nx = Variable(0.5)", "no name in the cell holds a Variable that a function made"),
        ("%%grad\nx = Variable(0.5)\nx", "is a leaf, a Variable that no function made"),
        ("%%grad x\nx = Variable(0.5)", "x is a leaf, a Variable that no function made"),
        ("%%grad y\ny = np.ones(3)", "y is an ndarray of shape (3,), which has no history"),
        ("%%grad loss\ny = 3", "name 'loss' is not defined"),
        ("%%grad 1 +\ny = 3", "RESULT is not an expression: 1 +"),
        ("%%grad 1/0\ny = 3", "1/0, raised ZeroDivisionError"),
        ("%%grad\n", "empty"),
        ("%%grad\n   \n\n", "empty"),
        ("%%grad\n# only a comment", "empty"),
        ("%%grad", "empty"),
        ("%grad", "write %grad y"),
        ("%grad 3", "3 is an int"),
        ("%grad nobody", "name 'nobody' is not defined"),
        ("%%grad --nonsense\ny = 3", "unrecognized arguments: --nonsense"),
        ("%%grad --step\ny = 3", "expected one argument"),
        ("%%grad --step two\ny = 3", "invalid int value"),
        ("%%grad --as film\ny = 3", "invalid choice: 'film'"),
        ("%%grad -o 3a\ny = 3", "-o needs a name to bind, not '3a'"),
        ("%%grad -q y\ny = 3", "write RESULT first"),
        ("%%grad --cotangent 'np.ones(\ny = 3", "No closing quotation"),
        ("%%grad\nawait nothing()", "write %grad y in the next cell"),
    ],
)
def test_one_line(shell: Shell, cell: str, message: str) -> None:
    ran = shell.run(cell)
    assert ran.error is not None
    assert message in ran.text
    assert "Traceback" not in ran.text
    assert "ipygrad/" not in ran.text
    assert len(ran.text.strip().splitlines()) <= 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--step 4", "has steps 0 to 3"),
        ("--step -1", "has steps 0 to 3"),
        ("--cotangent np.ones(3)", "has shape (3,), but y has shape ()"),
        ("--cotangent \"'one'\"", "got text"),
        ("--cotangent nobody", "name 'nobody' is not defined"),
    ],
)
def test_options_that_do_not_fit_change_no_gradient(shell: Shell, line: str, message: str) -> None:
    ran = shell.run(f"%%grad {line} -o bp\n{SEED}")
    assert message in ran.text
    assert "Traceback" not in ran.text
    assert shell["x"].grad is None
    assert "bp" not in shell


def test_a_cell_that_raises_shows_its_own_lines_and_then_the_graph(shell: Shell) -> None:
    ran = shell.run("%%grad\nx = Variable(0.5)\na = square(x)\nraise KeyError('gone')\ny = exp(a)")
    assert isinstance(ran.error, KeyError)
    assert "----> 4 raise KeyError('gone')" in ran.text
    for noise in ("run_cell_magic", "magic.py", "evaluate.py", "hidden"):
        assert noise not in ran.text
    traceback, graph = ran.text.index("KeyError"), ran.text.index("What the cell had computed")
    assert traceback < graph
    assert shell["x"].grad is None


def test_an_error_inside_a_users_function_shows_all_the_users_frames(shell: Shell) -> None:
    shell.run("def helper():\n    return 1 / 0")
    ran = shell.run("%%grad\nx = 1\nhelper()")
    assert "----> 3 helper()" in ran.text
    assert "return 1 / 0" in ran.text


@pytest.mark.parametrize("mistake", ["y = (x +", "y = x +) 3"])
def test_a_syntax_error_looks_as_ever(shell: Shell, mistake: str) -> None:
    ran = shell.run(f"%%grad\nx = 1\n{mistake}")
    plain = shell.run(f"x = 1\n{mistake}")
    assert ran.error is not None
    assert "line 3" in ran.text
    assert "Traceback" not in ran.text
    assert ran.text.strip().splitlines()[1:] == plain.text.strip().splitlines()[1:]
    assert "x" not in shell


def test_nothing_runs_when_the_cell_does_not_compile(shell: Shell) -> None:
    shell.run("%%grad\nran = True\nreturn 3")
    assert "ran" not in shell


def test_ctrl_c(shell: Shell) -> None:
    ran = shell.run(
        "%%grad\nimport signal\ny = square(Variable(2.0))\nsignal.raise_signal(signal.SIGINT)"
    )
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "What the cell had computed" in ran.text
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "3 * self.input.data ** 2 * gy",
            "Cube.backward returned None: did you forget 'return gx'?",
        ),
        ("return gy, gy", "Cube.backward returned 2 contributions for 1 input"),
        ("return np.ones(3)", "Cube.backward returned shape (3,), but that input has shape ()"),
        ("return 'steep'", "What Cube.backward returns holds real numbers, but got text"),
        (
            "return gy / undefined",
            "Cube.backward raised NameError: name 'undefined' is not defined",
        ),
    ],
)
def test_a_backward_that_fails_shows_the_steps_up_to_there(
    shell: Shell, body: str, message: str
) -> None:
    shell.run(CLASSES.format(body=body))
    ran = shell.run("%%grad -o bp\nx = Variable(0.5)\na = square(x)\nb = Cube()(a)\ny = exp(b)")
    assert ran.error is not None
    assert f"The pass stops at Cube (line 4): {message}" in ran.text
    assert [step.label for step in shell["bp"]] == ["exp"]
    assert message in shell["bp"].error
    assert shell["x"].grad is None
    assert shell["y"].grad is None
    assert "core.py" not in ran.text
    assert "magic.py" not in ran.text


def test_a_backward_that_raises_shows_the_users_line(shell: Shell) -> None:
    shell.run(CLASSES.format(body="return gy / undefined"))
    ran = shell.run("%%grad\ny = Cube()(Variable(0.5))")
    assert "----> 5     return gy / undefined" in ran.text


def test_a_missing_backward(shell: Shell) -> None:
    shell.run("class Cube(Function):\n    def forward(self, x):\n        return x ** 3")
    ran = shell.run("%%grad\ny = exp(Cube()(Variable(0.5)))")
    assert "Cube has no backward yet" in ran.text


@pytest.mark.parametrize(
    "data", ["'text'", "None", "1j", "object()", "[[1], [1, 2]]", "np.array('a')"]
)
def test_data_without_a_derivative(shell: Shell, data: str) -> None:
    ran = shell.run(f"%%grad\nx = Variable({data})\ny = square(x)")
    assert isinstance(ran.error, TypeError)
    assert "Variable holds" in ran.text


@pytest.mark.parametrize(("value", "shown"), [("np.nan", "nan"), ("np.inf", "inf")])
def test_nan_and_infinity_are_shown_where_they_appear(shell: Shell, value: str, shown: str) -> None:
    ran = shell.run(f"%%grad -o bp\nx = Variable({value})\na = square(x)\ny = a + 1")
    assert ran.is_fine
    assert shown in ran.text
    assert [bool(step.notes) for step in shell["bp"]] == [False, True]
    assert f"{'nan' if shown == 'nan' else 'infinite'}" in shell["bp"][1].notes[0]


def test_a_change_in_place_is_told(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\nx = Variable(0.5)\na = square(x)\ny = exp(a)\na.data[...] = 7")
    assert ran.is_fine
    for step in shell["bp"]:
        assert step.notes[0].startswith("a (line 5) changed in place")


def test_exceptions_that_refuse_attributes_arrive_as_they_are(shell: Shell) -> None:
    shell.run(
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Err(Exception):\n    "
        "k: int"
    )
    assert type(shell.run("%%grad\nraise Err(3)").error).__name__ == "Err"


def test_an_exception_raised_again_shows_where(shell: Shell) -> None:
    shell.run("E = ValueError('once')\n")
    shell.run("%%grad\nx = 1\nraise E")
    ran = shell.run("x = 1\nx = 2\nx = 3\nraise E")
    assert "----> 4 raise E" in ran.text


@pytest.mark.parametrize(
    ("wanted", "found", "slip"),
    [
        ((2, 3), (3, 2), "Its transpose has that shape: was it forgotten?"),
        ((3,), (4, 3), "so sum the contribution over axis 0"),
        ((1, 3), (4, 3), "so sum the contribution over axis 0"),
        ((3, 1), (2, 3, 4), "so sum the contribution over axes (0, 2)"),
        ((), (4, 3), "so sum the contribution over axes (0, 1)"),
        ((2, 3), (2, 4), "a contribution has the shape of its input"),
        ((2, 3), (3,), "a contribution has the shape of its input"),
    ],
)
def test_a_wrong_shape_is_told_with_the_likely_slip(
    wanted: tuple[int, ...], found: tuple[int, ...], slip: str
) -> None:
    class Wrong(Function):
        def forward(self, x: Any) -> Any:
            return x.sum()

        def backward(self, _gy: Any) -> Any:
            return np.ones(found)

    y = Wrong()(Variable(np.zeros(wanted)))
    with pytest.raises(BackwardError) as raised:
        y.backward()
    assert str(raised.value).endswith(slip)
    assert backward_pass(y).error == str(raised.value)
