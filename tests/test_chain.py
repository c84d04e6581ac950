"""The chain rule along every path: which paths, with which numbers, and their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Variable, exp, functions, matmul, split, square, tanh
from ipygrad.capture.backward import run_backward
from ipygrad.capture.graph import capture_graph
from ipygrad.explain.chain import Chain, Chains
from ipygrad.explain.local import local_slopes
from ipygrad.explain.paths import MOST_PATHS
from ipygrad.explain.words import Words

if TYPE_CHECKING:
    from ipygrad.capture.backward import BareStep


def chain(y: Variable, name: str, cotangent: object = None) -> Chain | None:
    graph = capture_graph([y])
    number = next(node.index for node in graph.variables if node.name == name)

    def slopes(step: BareStep) -> Any:
        return local_slopes(graph.functions[step.function].function)

    return Chains(Words(), graph, run_backward(graph, cotangent), slopes).of(number)


def lines(y: Variable, name: str, cotangent: object = None) -> list[str]:
    found = chain(y, name, cotangent)
    assert found is not None
    return found.text.splitlines()


def named(variable: Variable, name: str) -> Variable:
    variable.name = name
    return variable


def seed() -> tuple[Variable, Variable]:
    x = Variable(0.5, name="x")
    a = named(square(x), "a")
    b = named(exp(a), "b")
    return x, named(square(b), "y")


def test_a_single_path_is_one_product() -> None:
    _, y = seed()
    assert lines(y, "x") == [
        "∂y/∂x",
        "  ∂y/∂b · ∂b/∂a · ∂a/∂x = 2.568 · 1.284 · 1 = 3.297",
    ]
    assert lines(y, "b") == ["∂y/∂b", "  ∂y/∂b = 2.568"]
    assert lines(y, "y") == ["∂y/∂y", "  ∂y/∂y = 1"]


def test_another_start_is_the_first_factor() -> None:
    _, y = seed()
    assert lines(y, "a", 2.0)[1] == "  ∂y/∂y · ∂y/∂b · ∂b/∂a = 2 · 2.568 · 1.284 = 6.595"


def test_paths_are_summed_the_largest_first() -> None:
    x = Variable(0.5, name="x")
    z = named(named(x * x, "p") + named(-2 * x, "q"), "z")
    assert lines(z, "x") == [
        "∂z/∂x",
        "  ∂z/∂q · ∂q/∂x = 1 · (−2) = −2",
        "  ∂z/∂p · ∂p/∂x = 1 · 0.5 = 0.5",
        "  ∂z/∂p · ∂p/∂x = 1 · 0.5 = 0.5",
        "∂z/∂x = −2 + 0.5 + 0.5 = −1",
    ]


def test_what_the_pass_does_not_reach_has_no_chain() -> None:
    x = Variable(0.5, name="x")
    y = 2 * x
    assert chain(y, "2") is None


def test_two_hundred_doublings_have_more_paths_than_can_be_walked() -> None:
    y = Variable(1.0, name="x")
    for _ in range(200):
        y = y + y
    found = chain(named(y, "y"), "x")
    assert found is not None
    assert found.count == 2**200
    assert found.more == "and about 1e60 more paths"
    assert len(found.paths) == MOST_PATHS
    assert len(found.paths[0].text) < 1000
    assert found.total is not None
    assert found.total.text == f"∂y/∂x = {'1 + ' * 8}… = 1.607e60"


def test_the_largest_of_many_paths_are_kept() -> None:
    x = Variable(1.0, name="x")
    first = sum((k * x for k in range(1, 5)), start=Variable(0.0))
    y = named(sum((k * first for k in range(1, 5)), start=Variable(0.0)), "y")
    found = chain(y, "x")
    assert found is not None
    products = sorted((i * j for i in range(1, 5) for j in range(1, 5)), reverse=True)
    assert [path.text.rpartition(" ")[2] for path in found.paths] == list(map(str, products[:8]))
    assert found.more == "and 8 more paths"
    assert found.total is not None
    assert found.total.text.endswith("+ … = 100")


def test_arrays_are_sent_along_each_path_alone() -> None:
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(4, 3)), name="x")
    w = Variable(rng.normal(size=(3, 3)), name="w")
    h = tanh(matmul(x, w))
    one, two = split(h, [1])
    y = named(functions.sum(tanh(matmul(one, w))) + functions.sum(two * two), "y")
    found = chain(y, "w")
    assert found is not None
    assert found.count == len(found.paths) == 4
    y.backward()
    np.testing.assert_allclose(sum(path.evaluate({}) for path in found.paths), w.grad)
    assert found.total is not None
    assert "≠" not in found.total.text
    assert found.total.text.endswith("= array (3, 3)")


class Careless(Function):
    """Its backward forgets the gradient arriving."""

    def forward(self, x: Any) -> Any:
        return x**2

    def backward(self, _gy: Any) -> Any:
        return 2 * self.inputs[0].data


class Failing(Function):
    """Its backward works once, in the pass itself."""

    calls = 0

    def forward(self, x: Any) -> Any:
        return x

    def backward(self, gy: Any) -> Any:
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("once only")
        return gy


def test_paths_that_do_not_add_up_say_so() -> None:
    x = Variable(3.0, name="x")
    y = named(5 * named(Careless()(x), "c"), "y")
    assert lines(y, "x")[1:] == ["  ∂y/∂c · ∂c/∂x = 5 · 6 = 30", "∂y/∂x = 6 ≠ 30"]


def test_a_backward_that_fails_leaves_a_dash() -> None:
    x = Variable(3.0, name="x")
    y = named(5 * named(Failing()(x), "c"), "y")
    assert lines(y, "x")[1] == "  ∂y/∂c · ∂c/∂x = –"


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_rounding_is_not_taken_for_paths_that_differ(dtype: Any) -> None:
    x = y = Variable(np.array(0.3, dtype), name="x")
    for _ in range(3):
        y = exp(y) * 0.3 - y
    found = chain(named(y, "y"), "x")
    assert found is not None
    assert found.count == MOST_PATHS
    assert "≠" not in found.text
    assert x.dtype == dtype


@pytest.mark.parametrize("length", [3, 40])
def test_long_paths_leave_out_their_middle(length: int) -> None:
    y = Variable(0.5, name="x")
    for number in range(length):
        y = named(2 * y, f"h{number}")
    assert ("…" in lines(y, "x")[1]) == (length > 8)
