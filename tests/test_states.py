"""How each variable's gradient stands in the course of a pass, as the stepper's boxes say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, add, backward_pass, exp, no_grad, square
from tests.test_data import through_json

if TYPE_CHECKING:
    from tests.shell import Shell


def told(bp: BackwardPass, name: str) -> list[tuple[int, str, str, str]]:
    """Return a variable's states as the stepper writes them: step, box, label, end of the title."""
    payload = bp._payload({})
    (found,) = [node for node in payload["graph"]["variables"] if node["name"] == name]
    texts, cut = payload["sentences"], found.get("cut")

    def state(key: str, value: str, **counts: int) -> str:
        said = [texts[f"state_{key}"].format(value=value, how=cut, **counts)]
        if cut is not None and key != "cut":
            said.append(texts["state_cut"].format(how=cut))
        return str(texts["list"]).join(said)

    rows = []
    for step, key, number, arrived, expected in found["states"]:
        shown, exact = ("", "") if number is None else (number["text"], number["exact"])
        counts = {"arrived": arrived, "expected": expected}
        box = texts[f"box_{key}"].format(value=shown, how=cut, **counts)
        if cut is not None and key != "cut":
            box = texts["box_and_cut"].format(box=box)
        value, said = found["value"]["text"], state(key, shown, **counts)
        label = texts["variable_label"].format(name=name, value=value, state=said)
        rows.append((step, box, label, state(key, exact, **counts)))
    return rows


def states_of(bp: BackwardPass, name: str) -> list[tuple[int, str]]:
    return [(step, box) for step, box, _, _ in told(bp, name)]


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
    expected = [(0, "not yet"), (1, "grad 1.284"), (2, "dropped")]
    assert states_of(shell["bp"], "a") == expected
    assert states_of(through_json(shell["bp"]), "a") == expected


def cut_of(bp: BackwardPass, name: str) -> tuple[str, str, str]:
    """Return box, label and last line of the title of a variable as the pass leaves it."""
    return told(bp, name)[-1][1:]


WHY = "what it was computed from is not known"


def test_cut_by_no_grad() -> None:
    x = Variable(2.0, name="x")
    with no_grad():
        a = square(x)
    a.name = "a"
    bp = backward_pass(a * x)
    assert states_of(bp, "a") == [(0, "not yet, cut"), (1, "grad 2, cut")]
    box, label, title = cut_of(bp, "a")
    assert label == f"variable a, value 4, gradient 2, cut (no_grad): {WHY}"
    assert title == f"gradient 2.0, cut (no_grad): {WHY}"
    assert states_of(bp, "x") == [(0, "not yet"), (1, "grad 4")]
    assert cut_of(through_json(bp), "a") == (box, label, title)
    # Both are leaves; what a function has recorded is none.
    assert [variable.cut for variable in (x, a, a * x)] == [None, "no_grad", None]


def test_cut_by_detach_and_unchain() -> None:
    x = Variable(2.0, name="x")
    a, b = square(x), exp(x)
    a.name = "a"
    b.name = "b"
    b.unchain()
    detached = a.detach()
    assert (detached.cut, detached.detach().cut, b.cut, x.detach().cut) == (
        *("detach", "detach", "unchain", None),
    )
    bp = backward_pass(detached * b)
    assert cut_of(bp, "a")[1] == f"variable a, value 4, gradient 7.389, cut (detach): {WHY}"
    assert cut_of(bp, "b")[0] == "grad 4, cut"
    y = square(square(x))
    y.unchain_backward()
    assert y.creator is not None
    assert y.creator.inputs[0].cut == "unchain"


def test_boxes_have_room_for_what_is_cut() -> None:
    with no_grad():
        a = square(Variable(2.0))
    bp = backward_pass(a * a)
    assert bp._widest_texts[0] == "grad 8, cut"


def test_learners_classes_and_their_switch_are_heard(shell: Shell) -> None:
    shell.run(LEARNERS)
    ran = shell.run(
        "%%grad -q -o bp\nx = Variable(np.array(2.0))\nConfig.enable_backprop = False\n"
        "a = Square()(x)\nConfig.enable_backprop = True\ny = Square()(a)"
    )
    assert ran.is_fine, ran.text
    assert cut_of(shell["bp"], "a")[0].endswith(", cut")
    assert "cut (no_grad)" in cut_of(shell["bp"], "a")[1]
    # What did not set a creator for another reason is not said to be cut.
    shell.run("Square.is_silent = True")
    shell.run("%%grad -q\nb = Square()(Variable(np.array(2.0)))")
    shell.run("Square.is_silent = False")
    shell.run("%%grad -q -o other\nz = Square()(b)")
    assert [node.cut for node in shell["other"].graph.variables] == [None, None]


LEARNERS = """\
class Config:
    enable_backprop = True
class Variable:
    def __init__(self, data):
        self.data, self.grad, self.creator = data, None, None
    def set_creator(self, creator):
        self.creator = creator
    def backward(self):
        self.grad = np.ones_like(self.data)
        f = self.creator
        while f is not None:
            f.input.grad = f.backward(f.output.grad)
            f = f.input.creator
class Square:
    is_silent = False
    def __call__(self, x):
        y = Variable(np.asarray(self.forward(x.data)))
        if Config.enable_backprop and not self.is_silent:
            y.set_creator(self)
        self.input, self.output = x, y
        return y
    def forward(self, x):
        return x ** 2
    def backward(self, gy):
        return 2 * self.input.data * gy
"""


def test_torch_is_heard(shell: Shell) -> None:
    pytest.importorskip("torch")
    shell.run("import torch")
    ran = shell.run(
        "%%grad -q -o bp\nx = torch.tensor(2.0, requires_grad=True)\n"
        "with torch.no_grad():\n    a = x ** 2\n    like = torch.ones_like(x)\n"
        "b = torch.exp(x).detach() * 3\nc = torch.tensor(5.0)\n"
        "d = (x * 2).detach().requires_grad_()\ny = x * a * b * c * d * like"
    )
    assert ran.is_fine, ran.text
    bp = shell["bp"]
    assert {node.name: node.cut for node in bp.graph.variables if node.creator is None} == {
        "x": None,
        "a": "no_grad",
        "b": "detach",
        "c": None,
        "d": "detach",
        "like": None,
    }
    assert states_of(bp, "a") == [(0, "cut (no_grad)")]
    assert cut_of(bp, "b")[1:] == (
        f"variable b, value 22.17, cut (detach): {WHY}",
        f"cut (detach): {WHY}",
    )
    assert states_of(bp, "c") == [(0, "constant")]
    assert cut_of(bp, "d")[0].startswith("grad ")
    # Of what an earlier cell has done nothing is known.
    shell.run("%grad y -q -o later")
    cuts = {node.cut for node in shell["later"].graph.variables}
    assert cuts == {None}


def test_what_an_earlier_pass_left_is_said_and_added_to(shell: Shell) -> None:
    shell.run("x = Variable(2.0)\ny = square(x)\ny.backward()")
    shell.run("%%grad -q -o bp\nz = square(x) + x")
    (x,) = [one for one in shell["bp"]._payload({})["graph"]["variables"] if one["name"] == "x"]
    states = [(step, key, number["text"]) for step, key, number, *_ in x["states"]]
    assert states == [(0, "left_over", "4"), (1, "waiting", "5"), (2, "arrived", "9")]
    assert shell["x"].grad == shell["bp"][1].after[0] == 9
    assert str(shell["bp"].chain("x")).endswith("∂z/∂x = 4 + 1 = 5")


def test_a_pass_of_the_cell_adds_to_what_was_left(shell: Shell) -> None:
    shell.run("x = Variable(2.0)")
    cell = "%%grad -q -o both\ny = square(x)\ny.backward()\nz = exp(x)\nz.backward()"
    assert shell.run(cell).is_fine
    first, second = (bp[0] for bp in shell["both"])
    assert (first.before, first.after) == ((None,), (4,))
    assert (second.before[0], second.after[0]) == (4, shell["x"].grad)
    assert "x.grad 4 → 11.39" in shell["both"][1]._payload({})["notices"][-1]


def test_knobs_keep_what_was_left(shell: Shell) -> None:
    shell.run("x = Variable(2.0)\ny = square(x)\ny.backward()")
    shell.run("%%grad -q -o bp\ny = square(x)")
    turned = shell["bp"].what_if(x=3.0)
    assert (turned[0].before, turned[0].after) == ((4,), (10,))
