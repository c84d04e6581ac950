"""How each variable's gradient stands in the course of a pass, as the stepper's boxes say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad import BackwardPass, Variable, add, backward_pass, exp, square

if TYPE_CHECKING:
    from tests.shell import Shell


def states_of(bp: BackwardPass, name: str) -> list[Any]:
    payload = bp._payload({})
    (found,) = [node for node in payload["graph"]["variables"] if node["name"] == name]
    said = []
    for step, key, number, arrived, expected in found["states"]:
        value = "" if number is None else number["text"]
        counts = {"arrived": arrived, "expected": expected}
        said.append((step, payload["sentences"][f"box_{key}"].format(value=value, **counts)))
    return said


def test_a_gradient_is_not_yet_there_and_then_it_is() -> None:
    x = Variable(0.5, name="x")
    bp = backward_pass(square(exp(square(x))))
    assert states_of(bp, "x") == [(0, "not yet"), (3, "grad 3.297")]
    assert states_of(bp, bp.graph.variables[-1].name) == [(0, "not yet"), (0, "grad 1")]
    (state,) = bp._payload({})["graph"]["variables"][0]["states"][1:]
    assert state == [3, "arrived", {"text": "3.297", "exact": "3.297442541400256"}, 1, 1]


def test_what_is_used_twice_waits_for_both() -> None:
    x = Variable(2.0, name="x")
    a = square(x)
    a.name = "a"
    bp = backward_pass(add(square(a), square(a)))
    assert states_of(bp, "a") == [(0, "not yet"), (2, "1 of 2: 8"), (3, "grad 16")]
    both = backward_pass(x * x)
    assert states_of(both, "x") == [(0, "not yet"), (1, "1 of 2: 2"), (1, "grad 4")]


def test_constants_and_what_the_pass_does_not_reach_have_one_state() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    bp = backward_pass(2.5 * x)
    assert states_of(bp, "2.5") == [(0, "constant")]


def test_dropped_after_use(shell: Shell) -> None:
    shell.run("x = Variable(0.5)")
    shell.run("%%grad -q -o bp\na = square(x)\ny = exp(a)\ny.backward(retain_grad=False)")
    assert states_of(shell["bp"], "a") == [(0, "not yet"), (1, "grad 1.284"), (2, "dropped")]
