"""`BackwardStep.waiting` and what the stepper says of it: who waits, and who is next, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, multiply, square

if TYPE_CHECKING:
    from tests.shell import Shell

SHARED = "x = Variable(np.array(2.0))\na = square(x)\ny = square(a) + square(a)\n"
DONE = "No function is waiting: the pass is complete."


def shared() -> BackwardPass:
    """Return the pass of y = a² + a², a = x²."""
    x = Variable(2.0)
    a = square(x)
    return backward_pass(square(a) + square(a))


def said(bp: BackwardPass) -> list[dict[str, Any]]:
    """Return what the stepper is told of those who wait, after the start and each step."""
    steps = bp._payload({})["steps"]
    split = ((step["waiting"], *step["texts"]["turns"].split("\n")) for step in steps)
    return [{"functions": who, "text": why, "lines": lines} for who, why, *lines in split]


def test_who_waits_after_each_step() -> None:
    waiting = [
        [(one.label, one.generation, one.arrived, one.expected) for one in step.waiting]
        for step in shared()
    ]
    assert waiting == [
        [("square", 1, 1, 1), ("square", 1, 1, 1)],
        [("square", 1, 1, 1), ("square", 0, 1, 2)],
        [("square", 0, 2, 2)],
        [],
    ]
    assert [one.missing for one in shared()[1].waiting] == [0, 1]


def test_steps_may_be_asked_in_any_order() -> None:
    in_order, bp = [step.waiting for step in shared()], shared()
    assert [bp[position].waiting for position in (2, 0, 3, 3, 1)] == [
        in_order[position] for position in (2, 0, 3, 3, 1)
    ]


def test_both_uses_by_one_function_are_counted() -> None:
    a = square(Variable(3.0))
    bp = backward_pass(multiply(a, a))
    assert [(one.arrived, one.expected) for one in bp[0].waiting] == [(2, 2)]


def test_constants_are_waited_for_by_nobody() -> None:
    bp = backward_pass(exp(Variable(1.0)) * 2.0)
    assert [(one.label, one.arrived, one.expected) for one in bp[0].waiting] == [("exp", 1, 1)]


def test_a_turn_that_comes_too_early_is_seen_in_the_list(shell: Shell) -> None:
    shell.run("%%grad --order depth-first -o bp -q\n" + SHARED)
    lists = [
        [(one.generation, one.arrived, one.expected) for one in step.waiting]
        for step in shell["bp"]
    ]
    # The second square hands a its gradient, and a's creator is next although one is missing.
    assert lists == [
        [(1, 1, 1), (1, 1, 1)],
        [(0, 1, 2), (1, 1, 1)],
        [(1, 1, 1)],
        [(0, 2, 2)],
        [],
    ]


@pytest.mark.parametrize("width", [3, 20])
def test_side_by_side_all_wait_at_once(width: int) -> None:
    x = Variable(np.array(1.0))
    y = square(x)
    total = square(y)
    for _ in range(width - 1):
        total = total + square(y)
    bp = backward_pass(total)
    for step in bp:
        turns = [one.function for one in step.waiting]
        assert len(set(turns)) == len(turns)
        later = [other._bare.function for other in bp[step.index :]]
        assert turns == [function for function in later if function in turns]
        assert all(one.missing == 0 for one in step.waiting[:1])
    assert bp[-1].waiting == ()
    assert bp[-2].waiting[0].expected == width


def test_why_the_next_is_next() -> None:
    waiting = said(shared())
    assert [each["text"] for each in waiting] == [
        "add is next: no other function is waiting.",
        "square is next: no generation is higher than its 1, and among equals any may come first.",
        "square is next: its generation, 1, is the highest of those that wait, so no gradient of "
        "what it made can still be missing.",
        "square is next: no other function is waiting.",
        DONE,
    ]
    assert waiting[2]["lines"] == [
        "● square, generation 1: 1 of 1 gradients arrived",
        "●○ square, generation 0: 1 of 2 gradients arrived",
    ]


def test_a_wrong_order_says_that_it_does_not_wait(shell: Shell) -> None:
    shell.run("%%grad --order depth-first -o bp -q\n" + SHARED)
    assert said(shell["bp"])[2]["text"] == (
        "square is next in this order, although only 1 of 2 gradients have arrived at what it made."
    )


def test_a_pass_that_stops_says_who_would_have_been_next(shell: Shell) -> None:
    shell.run(
        "class Broken(Function):\n"
        "    def forward(self, x): return x\n"
        "    def backward(self, gy): raise RuntimeError('broken')\n"
    )
    shell.run("x = Variable(1.0)\ny = square(Broken()(x))")
    assert said(backward_pass(shell["y"]))[-1]["text"] == (
        "Broken would have been next, but the pass stopped here."
    )


def test_a_long_list_is_cut_and_says_so() -> None:
    x = Variable(np.array(1.0))
    total = square(x)
    for _ in range(11):
        total = square(x) + total
    # After the eleven additions all twelve squares wait.
    waiting = said(backward_pass(total))[11]
    assert len(waiting["functions"]) == 8
    assert len(waiting["lines"]) == 9
    assert waiting["lines"][-1] == "and 4 more"
