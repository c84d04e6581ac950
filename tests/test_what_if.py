"""What if a leaf had another value: the pass of the same calls, and the knobs of the stepper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Function, Variable, backward_pass, exp, no_grad, square
from ipygrad import functions as F  # noqa: N812
from ipygrad.capture.backward import final_gradients
from ipygrad.show.knobs import MOST_KNOBS, bound, knobs_of

if TYPE_CHECKING:
    from tests.shell import Shell

STAGES = Path(__file__).parent / "stages"


def seed() -> tuple[Variable, BackwardPass]:
    x = Variable(0.5, name="x")
    return x, backward_pass(square(exp(square(x))))


def gradient(bp: BackwardPass, name: str) -> Any:
    (node,) = [node for node in bp.graph.variables if node.name == name]
    return final_gradients(bp.graph, bp._run)[node.index] if bp._run else None


def test_the_pass_at_another_value_is_that_of_a_fresh_run() -> None:
    x, bp = seed()
    turned = bp.what_if(x=0.7)
    fresh = backward_pass(square(exp(square(Variable(0.7, name="x")))))
    assert [step.contributions for step in turned] == [step.contributions for step in fresh]
    assert gradient(bp, "x") == 3.297442541400256
    assert x.data == 0.5
    assert x.grad is None
    assert "What if x were 0.7 instead of 0.5?" in str(turned)


def test_leaves_are_found_by_themselves_too_and_the_others_stay() -> None:
    w, x = Variable(np.array([[1.0, 2.0]]), name="w"), Variable(np.array([3.0, 4.0]), name="x")
    bp = backward_pass(w @ x)
    turned = bp.what_if({w: [[5.0, 6.0]]})
    assert gradient(turned, "x").tolist() == [5, 6]
    assert gradient(turned, "w").tolist() == [[3, 4]]
    assert w.data.tolist() == [[1, 2]]


def test_inside_no_grad_it_is_recorded_all_the_same() -> None:
    _, bp = seed()
    with no_grad():
        assert len(bp.what_if(x=0.7)) == 3


def test_what_was_drawn_at_random_stays_and_branches_stay() -> None:
    x = Variable(np.ones(50), name="x")
    bp = backward_pass(F.sum(F.dropout(x, 0.5)))
    assert gradient(bp.what_if(x=np.full(50, 2.0)), "x").tolist() == gradient(bp, "x").tolist()
    z = Variable(2.0, name="z")
    y = square(z) if z > 0 else exp(z)
    assert gradient(backward_pass(y).what_if(z=-3.0), "z") == -6


def test_a_function_of_the_users_runs_on_a_copy() -> None:
    class Cube(Function):
        def forward(self, x: Any) -> Any:
            self.seen = x
            return x**3

        def backward(self, gy: Any) -> Any:
            return 3 * self.seen**2 * gy

    x, cube = Variable(2.0, name="x"), Cube()
    bp = backward_pass(cube(x))
    assert gradient(bp.what_if(x=3.0), "x") == 27
    assert cube.seen == 2
    assert gradient(bp, "x") == 12


def test_the_start_that_was_asked_for_stays() -> None:
    x = Variable(3.0, name="x")
    assert gradient(backward_pass(square(x), 10.0).what_if(x=1.0), "x") == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"z": 1.0}, "'z' is no leaf of this graph. Its leaves are x"),
        ({"x": [1.0, 2.0]}, r"x has shape \(\), so it cannot have a value of shape \(2,\)"),
        ({3: 1.0}, "that is no leaf of this graph"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seed()[1].what_if(changes)
    with pytest.raises(TypeError, match="A value of x"):
        seed()[1].what_if(x="much")


def test_a_function_that_refuses_a_value_is_named() -> None:
    class Root(Function):
        def forward(self, x: Any) -> Any:
            if x < 0:
                raise ArithmeticError("no root below 0")
            return x**0.5

        def backward(self, gy: Any) -> Any:
            return gy / (2 * self.output.data)  # type: ignore[union-attr]

    bp = backward_pass(Root()(Variable(4.0, name="x")))
    with pytest.raises(ValueError, match="Root cannot be called again on these values: no root"):
        bp.what_if(x=-1.0)
    restored = BackwardPass.from_dict(bp.to_dict())
    with pytest.raises(ValueError, match="was restored from data"):
        restored.what_if(x=1.0)
    assert restored._payload({})["knobs"] == []


# --- knobs ---


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 1), (2, 5), (-0.07, 0.2), (100, 200), (0, 1), (np.nan, 1), (1e308, 1e308)],
)
def test_a_knob_goes_at_least_twice_as_far_as_it_stands(value: float, expected: float) -> None:
    assert bound(value) == pytest.approx(expected)


def test_each_number_of_a_leaf_has_a_knob_up_to_a_limit_that_is_told() -> None:
    w, x = Variable(np.ones((2, 2)), name="w"), Variable(np.ones((2, 30)), name="x")
    bp = backward_pass(F.sum(2 * (w @ x)))
    knobs, more = knobs_of(bp.graph)
    names = [knob.name for knob in knobs]
    assert names[:4] == ["w[0, 0]", "w[0, 1]", "w[1, 0]", "w[1, 1]"]
    assert len(names) == MOST_KNOBS
    assert more == 4 + 60 - MOST_KNOBS
    assert bp._payload({})["knobs_more"] == "40 more numbers have no knob."


def answers(bp: BackwardPass, **message: Any) -> Any:
    """Return what a stepper is answered; what it sends and gets is JSON."""
    answer = bp._live.answer(json.loads(json.dumps(message)))
    return json.loads(json.dumps(answer, allow_nan=False))


def test_a_stepper_is_answered_with_the_whole_pass_and_the_plot_that_it_shows() -> None:
    x, bp = seed()
    answer = answers(bp, type="what_if", step=2, values={"0": 0.7})
    payload = answer["payload"]
    assert payload["steps"][3]["products"][0]["contribution"]["text"] == "7.46"
    assert [step["plot"] is not None for step in payload["steps"]] == [False, False, True, False]
    shapes = json.loads(json.dumps(bp._notebook_payload["graph"]["shapes"]))
    assert payload["graph"]["shapes"] == shapes
    assert payload["notices"] == bp._notebook_payload["notices"]
    assert answer["values"] == {"0": 0.7}
    ours, others = (answers(bp, type="plot", step=3, values=v)["svg"] for v in ({}, {"0": 0.7}))
    assert ours != others
    assert x.data == 0.5


def test_keep_writes_into_the_users_own_variables() -> None:
    x, bp = seed()
    answer = answers(bp, type="keep", values={"0": 0.7})
    assert answer["said"].startswith("Written into the notebook: x.")
    assert x.data == 0.7
    assert gradient(bp, "x") == 3.297442541400256


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "what_if"},
        {"type": "what_if", "step": "2", "values": {"0": 0.7}},
        {"type": "what_if", "step": 2, "values": {"9": 0.7}},
        {"type": "what_if", "step": 2, "values": {"__class__": 0.7}},
        {"type": "what_if", "step": 2, "values": {"0": "0.7"}},
        {"type": "what_if", "step": 2, "values": {"0": float("inf")}},
        {"type": "what_if", "step": 2, "values": [0.7]},
        {"type": "plot", "step": 99, "values": {}},
        {"type": "exec", "step": 2, "values": {}},
    ],
)
def test_nonsense_from_a_page_is_not_answered(message: dict[str, Any]) -> None:
    x, bp = seed()
    assert bp._live.answer(message) is None
    assert x.data == 0.5


def test_a_value_that_a_function_refuses_is_said() -> None:
    class Picky(Function):
        def forward(self, x: Any) -> Any:
            if x > 1:
                raise ValueError("too large")
            return x

        def backward(self, gy: Any) -> Any:
            return gy

    bp = backward_pass(Picky()(Variable(0.5, name="x")))
    answer = answers(bp, type="what_if", step=1, values={"0": 2.0})
    assert answer == {
        "type": "what_if",
        "said": "Picky cannot be called again on these values: too large",
    }


# --- other engines ---

TYPED = (STAGES / "stage09.py").read_text()
ENGINES = {
    "typed": (TYPED, "x = Variable(np.array(0.5))", "square(exp(square(x)))"),
    "DeZero": ("np.int = int\nimport dezero", "x = dezero.Variable(np.array(0.5))", "x * x"),
    "micrograd": ("from micrograd.engine import Value", "x = Value(0.5)", "x * x"),
    "PyTorch": ("import torch", "x = torch.tensor(0.5, requires_grad=True)", "x * x"),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_knobs_of_other_engines_turn_too(shell: Shell, engine: str) -> None:
    if engine == "PyTorch":
        pytest.importorskip("torch")
    setup, leaf, result = ENGINES[engine]
    assert shell.run(setup).is_fine
    assert shell.run(f"%%grad -q -o bp\n{leaf}\ny = {result}").is_fine
    bp = shell["bp"]
    expected = 7.46047748 if engine == "typed" else 1.4
    assert gradient(bp.what_if(x=0.7), "x") == pytest.approx(expected, rel=1e-6)
    kind = type(shell["x"].data)
    assert float(shell["x"].data) == 0.5
    answers(bp, type="keep", values={"0": 0.7})
    assert float(shell["x"].data) == pytest.approx(0.7)
    assert type(shell["x"].data) is kind
    assert shell.run(f"y = {result}").is_fine
