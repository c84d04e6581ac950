"""``--order``: the wrong orders on request, with what goes wrong where, and the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.shell import Shell

# y = a² + a², a = x², so y = 2x⁴ and dy/dx = 8x³ = 64 at 2.
SHARED = "x = Variable(np.array(2.0))\na = square(x)\ny = square(a) + square(a)\n"
EARLY = (
    "square takes its turn before all gradients of a have arrived, with 1 of 2: it gets 8, but 16 "
    "would be right."
)


def leaf_gradients(shell: Shell) -> list[float]:
    """Return what x's gradient was after each step that changed it."""
    graph = shell["bp"].graph
    return [
        step.after[0].item()
        for step in shell["bp"]
        if graph.variables[graph.functions[step._bare.function].inputs[0]].name == "x"
    ]


@pytest.mark.parametrize(
    ("order", "after"),
    [("overwrite", [32.0, 32.0]), ("depth-first", [32.0, 96.0]), ("generation", [64.0])],
)
def test_each_order_gives_the_number_that_the_book_gives(
    shell: Shell, order: str, after: list[float]
) -> None:
    ran = shell.run(f"%%grad --order {order} -o bp\n" + SHARED)
    assert ran.error is None
    assert leaf_gradients(shell) == after
    # What was asked for is a picture; the gradients that stay are right.
    assert shell["x"].grad == 64


def test_overwriting_is_told_where_it_happens(shell: Shell) -> None:
    ran = shell.run("%%grad --order overwrite -o bp\n" + SHARED)
    assert "A wrong order, as you asked: " in ran.text
    assert "This pass ends with x.grad = 32, but 64 would be right: see step 3 and step 4." in (
        ran.text
    )
    notes = [step.notes for step in shell["bp"]]
    replaced = (
        "a.grad held 8, and 8 took its place instead of being added to it: 16 would be right."
    )
    assert notes == [(), (), (EARLY,), (replaced,), ()]


def test_a_turn_that_comes_too_early_is_told_where_it_happens(shell: Shell) -> None:
    ran = shell.run("%%grad --order depth-first -o bp\n" + SHARED)
    assert "This pass ends with x.grad = 96, but 64 would be right: see step 3 and step 5." in (
        ran.text
    )
    notes = [step.notes for step in shell["bp"]]
    twice = (
        "square had its turn before, in step 3: what it contributed to x then is still there, and "
        "counts twice."
    )
    assert notes == [(), (), (EARLY,), (), (twice,)]


def test_the_right_order_says_nothing(shell: Shell) -> None:
    text = shell.run("%%grad --order generation -o bp\n" + SHARED).text
    assert "order" not in text
    assert [step.notes for step in shell["bp"]] == [()] * 4


def test_a_chain_comes_out_right_in_any_order(shell: Shell) -> None:
    ran = shell.run("%%grad --order overwrite -o bp\nx = Variable(3.0)\ny = square(exp(x))\n")
    assert "Here every gradient comes out right all the same." in ran.text


def test_several_outputs_and_constants_go_in_any_order(shell: Shell) -> None:
    shell.run("%%grad --order depth-first -o bp\nx = Variable([1.0, 2.0])\ny = (2 * x * x).sum()\n")
    assert shell["x"].grad.tolist() == [4, 8]
    assert len(shell["bp"]) == 3


def test_a_pass_of_very_many_paths_is_refused(shell: Shell) -> None:
    cell = "y = Variable(1.0)\nfor _ in range(20):\n    y = y + y\n"
    ran = shell.run("%%grad --order depth-first\n" + cell)
    assert "--order depth-first: " in str(ran.error)
    assert "takes more than 10,000 turns" in str(ran.error)


def test_an_unknown_order_is_told(shell: Shell) -> None:
    assert "invalid choice: 'random'" in str(shell.run("%%grad --order random\n1").error)


@pytest.mark.parametrize("order", ["overwrite", "depth-first", "generation"])
def test_every_order_goes_through_data_that_changed_and_says_so(shell: Shell, order: str) -> None:
    shell.run(f"%%grad -q --order {order} -o bp\n{SHARED}x.data = np.array(3.0)\ny")
    assert "x (line 5) changed in place after square ran forward" in shell["bp"][-1].notes[-1]
    # a stays 4, so dy/da = 16 is as it was; dy/dx is that times 2 · 3.
    assert shell["x"].grad == 96
    assert "was assigned after square had used it" in str(shell.run("y.backward()").error)
