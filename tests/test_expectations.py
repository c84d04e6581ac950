"""``--expect x.grad=3.2974``: a graded cell fails when its gradient is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.shell import Shell

SEED = "x = Variable(np.array(0.5))\ny = square(exp(square(x)))\n"
ARRAY = "x = Variable(np.array([1.0, 2.0]))\ny = sum(square(x))\n"


@pytest.mark.parametrize(
    "value", ["3.2974", "3.297442541400256", "2 * 1.648721", "np.array(3.297)"]
)
def test_an_expected_gradient_passes(shell: Shell, value: str) -> None:
    ran = shell.run(f'%%grad --expect "x.grad={value}"\n{SEED}')
    assert ran.error is None


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("x.grad=3.2", "x.grad should be 3.2, but it is 3.297"),
        ("x.grad=-3.2974", "x.grad should be -3.297, but it is 3.297"),
        ("x.grad=0", "x.grad should be 0, but it is 3.297"),
        ("x.grad=np.nan", "x.grad should be nan, but it is 3.297"),
        (
            "x.grad=[1, 2]",
            "x.grad should be an ndarray of shape (2,), but it is an ndarray of shape ()",
        ),
    ],
)
def test_another_gradient_fails_the_cell(shell: Shell, expected: str, message: str) -> None:
    ran = shell.run(f'%%grad -o bp --expect "{expected}"\n{SEED}')
    assert type(ran.error).__name__ == "UnexpectedGradientError"
    assert isinstance(ran.error, AssertionError)
    assert str(ran.error) == message
    # The pass is shown and kept, and the next cell works.
    assert len(shell["bp"]) == 3
    assert shell.run("z = x.grad").error is None


def test_the_first_element_that_differs_is_named(shell: Shell) -> None:
    ran = shell.run(f'%%grad --expect "x.grad=[2, 5]"\n{ARRAY}')
    assert str(ran.error) == "x.grad[1] should be 5, but it is 4"


def test_several_gradients_may_be_expected(shell: Shell) -> None:
    cell = "w = Variable(2.0)\nx = Variable(3.0)\ny = w * x\n"
    assert shell.run(f"%%grad --expect w.grad=3 --expect x.grad=2\n{cell}").error is None
    ran = shell.run(f"%%grad --expect w.grad=3 --expect x.grad=3\n{cell}")
    assert str(ran.error) == "x.grad should be 3, but it is 2"


def test_a_missing_gradient_fails_the_cell(shell: Shell) -> None:
    ran = shell.run(f"%%grad --expect z.grad=1\nz = Variable(1.0)\n{SEED}")
    assert str(ran.error) == "z.grad should be 1, but it holds no gradient"


@pytest.mark.parametrize("text", ["x=1", "x.grad", "x.grad==1", "x.grad=", "=1", "f(=2"])
def test_what_is_no_expectation_is_one_line_before_the_cell_runs(shell: Shell, text: str) -> None:
    ran = shell.run(f'%%grad --expect "{text}"\nran = True\n{SEED}')
    assert str(ran.error) == (
        f"--expect needs a gradient and its value, as in x.grad=3.2974, not {text}"
    )
    assert "ran" not in shell


def test_a_value_that_is_no_number_is_one_line(shell: Shell) -> None:
    ran = shell.run(f"%%grad --expect \"x.grad='three'\"\n{SEED}")
    assert str(ran.error) == "--expect x.grad='three': the value is not a number or an array"
    ran = shell.run(f"%%grad --expect x.grad=unknown\n{SEED}")
    assert "unknown name" in str(ran.error)


def test_quiet_cells_are_graded_too(shell: Shell) -> None:
    ran = shell.run(f"%%grad -q --expect x.grad=1\n{SEED}")
    assert str(ran.error) == "x.grad should be 1, but it is 3.297"
