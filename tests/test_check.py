"""Whether a backward tells the truth, and what is said when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Square, Variable, functions
from ipygrad.capture.backward import run_backward
from ipygrad.capture.graph import capture_graph
from ipygrad.explain.check import MOST_ELEMENTS, Check, check_step
from tests.formulas import CASES, WITHOUT_ORACLE, inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable

ALL_CASES = {**CASES, **WITHOUT_ORACLE}


def checks_of(y: Variable, cotangent: object = None) -> list[Check]:
    graph = capture_graph([y])
    run = run_backward(graph, cotangent)
    return [check_step(graph.functions[step.function].function, step) for step in run.steps]


def check_of(y: Variable, cotangent: object = None) -> Check:
    return checks_of(y, cotangent)[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ALL_CASES)
def test_every_function_of_ours_agrees(name: str, dtype: Any) -> None:
    case = ALL_CASES[name]
    for seed in range(3):
        y = case.formula(functions, *[Variable(x.astype(dtype)) for x in inputs_of(case, seed)])
        for check in checks_of(y):
            assert check.status != "disagrees", check
            assert check.reason in (None, "nothing arrives", "kink"), check


def with_backward(backward: Callable[..., Any]) -> Function:
    methods = {"forward": lambda _self, x: x**3, "backward": backward}
    cube: Function = type("Cube", (Function,), methods)()
    return cube


SLIPS: dict[str, Callable[[Any, Any], Any]] = {
    "sign": lambda self, gy: -3 * self.input.data**2 * gy,
    "factor": lambda self, gy: self.input.data**2 * gy,
    "gradient forgotten": lambda self, _gy: 3 * self.input.data**2,
    "gradient squared": lambda self, gy: 3 * self.input.data**2 * gy * gy,
    "local forgotten": lambda _self, gy: gy,
    "constant": lambda _self, gy: 0 * gy,
}
RATIOS = {"sign": -1, "factor": 1 / 3, "gradient forgotten": 0.4, "gradient squared": 2.5}
RATIOS |= {"local forgotten": 1 / 3 / 0.49, "constant": 0}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_wrong_backward_is_found_and_the_slip_named(slip: str) -> None:
    check = check_of(with_backward(SLIPS[slip])(Variable(0.7)), 2.5)
    assert (check.status, check.slip, check.argnum) == ("disagrees", slip, 0)
    assert check.ratio == pytest.approx(RATIOS[slip])
    np.testing.assert_allclose(check.slopes, [3 * 0.7**2])  # type: ignore[arg-type]


@pytest.mark.parametrize("slip", SLIPS)
def test_the_same_on_arrays(slip: str) -> None:
    x = Variable(np.linspace(0.5, 2, 6).reshape(2, 3))
    check = check_of(with_backward(SLIPS[slip])(x), np.linspace(2, 3, 6).reshape(2, 3))
    assert (check.status, check.slip, check.slopes) == ("disagrees", slip, (None,))


def test_one_part_in_ten_thousand_is_found() -> None:
    nearly = with_backward(lambda self, gy: 3.0003 * self.input.data**2 * gy)
    check = check_of(nearly(Variable(0.7)))
    assert (check.status, check.slip) == ("disagrees", None)
    assert check.ratio == pytest.approx(1.0001)


def test_it_is_found_at_its_own_step() -> None:
    wrong = with_backward(SLIPS["factor"])
    found = checks_of(functions.exp(wrong(functions.sin(Variable(0.7)))))
    assert [check.status for check in found] == ["agrees", "disagrees", "agrees"]


class Product(Function):
    """The product of two inputs, with their contributions swapped."""

    def forward(self, a: Any, b: Any) -> Any:
        return a @ b if a.ndim else a * b

    def backward(self, gy: Any) -> Any:
        a, b = (x.data for x in self.inputs)
        return gy * a, gy * b


class Layer(Function):
    """A matrix product whose second contribution is transposed."""

    def forward(self, x: Any, w: Any) -> Any:
        return x @ w

    def backward(self, gy: Any) -> Any:
        x, w = (v.data for v in self.inputs)
        return gy @ w.T, (x.T @ gy).T


def test_contributions_of_two_inputs_are_told_apart() -> None:
    check = check_of(Product()(Variable(2.0), Variable(5.0)))
    assert check.slip == "swapped"
    np.testing.assert_allclose(check.slopes, [5, 2])  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    x, w = Variable(rng.normal(size=(4, 3))), Variable(rng.normal(size=(3, 3)))
    check = check_of(Layer()(x, w), rng.normal(size=(4, 3)))
    assert (check.status, check.argnum, check.slip) == ("disagrees", 1, "transposed")


def test_what_cannot_be_checked_says_why() -> None:
    class Noise(Function):
        def forward(self, x: Any) -> Any:
            return x * np.random.default_rng().normal(size=x.shape)

        def backward(self, gy: Any) -> Any:
            return gy

    class Once(Function):
        called = 0

        def forward(self, x: Any) -> Any:
            if Once.called:
                raise RuntimeError("only once")
            Once.called += 1
            return x

        def backward(self, gy: Any) -> Any:
            return gy

    reasons = {
        "random": Noise()(Variable(np.ones(3))),
        "kink": functions.relu(Variable(0.0)),
        "large": functions.exp(Variable(np.zeros(MOST_ELEMENTS))),
        "forward fails": Once()(Variable(1.0)),
        "nothing arrives": functions.exp(Variable(1.0)),
        "not finite": functions.square(Variable(np.inf)),
    }
    for reason, y in reasons.items():
        check = check_of(y, np.zeros(()) if reason == "nothing arrives" else None)
        assert (check.status, check.reason) == ("not checked", reason)


@pytest.mark.parametrize("x", [1e-12, 1e-5, 1e5, 1e12])
@pytest.mark.parametrize("f", [functions.log, functions.sqrt, functions.reciprocal])
def test_small_and_large_numbers_agree(f: Callable[[Any], Variable], x: float) -> None:
    assert check_of(f(Variable(x))).status != "disagrees"


def test_nobody_notices_it(capsys: pytest.CaptureFixture[str]) -> None:
    class Loud(Square):
        def forward(self, x: Any) -> Any:
            self.calls = getattr(self, "calls", 0) + 1
            print("forward of", x)
            x += np.random.random()  # noqa: NPY002 - as a learner writes it
            return x**2

    loud = Loud()
    y = loud(Variable(np.array([1.0, 2.0])))
    capsys.readouterr()
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    checks_of(y)
    assert (loud.calls, capsys.readouterr().out) == (1, "")
    after: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(after, state)
