"""Arrays of other engines: local derivatives, Jacobians, checks and chains, as for our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

# DeZero 0.0.13 reads a name when it is imported that numpy 2 no longer has.
np.int = int  # type: ignore[attr-defined]  # noqa: NPY001

import dezero  # noqa: E402

from ipygrad import backward_pass  # noqa: E402
from ipygrad.explain.products import step_formula  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.record import BackwardStep

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]])


class Variable:
    """As a learner would type it."""

    def __init__(self, data: Any, name: str | None = None) -> None:
        self.data = data
        self.name = name
        self.grad: Any = None
        self.creator: Any = None


class Typed:
    """A learner's base class, whose functions print, draw random numbers and count their calls."""

    calls = 0

    def __call__(self, *inputs: Variable) -> Variable:
        output = Variable(self.forward(*[x.data for x in inputs]))
        output.creator = self
        self.inputs, self.outputs = inputs, (output,)
        return output

    def forward(self, *xs: Any) -> Any:
        self.calls += 1
        print("forward")
        np.random.random()  # noqa: NPY002 - the global generator is what is tested
        return self.compute(*xs)

    def compute(self, *xs: Any) -> Any:
        raise NotImplementedError


class MatMul(Typed):
    def compute(self, x: Any, w: Any) -> Any:
        return x @ w

    def backward(self, gy: Any) -> Any:
        x, w = self.inputs
        return gy @ w.data.T, x.data.T @ gy


class Tanh(Typed):
    def compute(self, x: Any) -> Any:
        return np.tanh(x)

    def backward(self, gy: Any) -> Any:
        return gy * (1 - self.outputs[0].data ** 2)


class Sum(Typed):
    def compute(self, x: Any) -> Any:
        return np.array(x.sum())

    def backward(self, gy: Any) -> Any:
        return np.full(self.inputs[0].data.shape, gy)


def of_a_learner() -> tuple[Any, Any]:
    w = Variable(W, "w")
    return w, Sum()(Tanh()(MatMul()(Variable(X, "x"), w)))


def of_dezero() -> tuple[Any, Any]:
    F = dezero.functions  # noqa: N806
    w = dezero.Variable(W, "w")
    return w, F.sum(F.tanh(F.matmul(dezero.Variable(X, "x"), w)))


def of_torch() -> tuple[Any, Any]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    w = torch.tensor(W, requires_grad=True)
    return w, torch.tanh(torch.tensor(X, requires_grad=True) @ w).sum()


def local_derivatives_of(step: BackwardStep) -> list[Any]:
    assert None not in step.local_derivatives
    return [*step.local_derivatives]


every_engine = pytest.mark.parametrize(
    "make", [of_a_learner, of_dezero, pytest.param(of_torch, marks=pytest.mark.torch)]
)


@every_engine
def test_each_function_has_the_local_derivative_of_its_kind(
    make: Callable[[], tuple[Any, Any]],
) -> None:
    _w, result = make()
    total, tanh, matmul = backward_pass(result)
    (of_total,), (of_tanh,) = local_derivatives_of(total), local_derivatives_of(tanh)
    assert (of_total.kind, of_total.structure) == ("jacobian", "ones")
    assert of_tanh.kind == "points"
    np.testing.assert_allclose(of_tanh.slope, 1 - np.tanh(X @ W) ** 2)
    np.testing.assert_allclose(of_tanh.samples.f, np.tanh(of_tanh.samples.u))
    of_x, of_w = local_derivatives_of(matmul)
    np.testing.assert_allclose(of_x.jacobian, np.einsum("ab,kj->ajbk", np.eye(2), W))
    np.testing.assert_allclose(of_w.jacobian, np.einsum("ik,jl->ijkl", X, np.eye(2)))


@every_engine
def test_it_is_checked_and_has_chains_but_no_formula(make: Callable[[], tuple[Any, Any]]) -> None:
    w, result = make()
    bp = backward_pass(result)
    assert [step.check.status for step in bp] == ["agrees"] * 3
    assert [step.notes for step in bp] == [()] * 3
    bares = [step._bare for step in bp]
    assert [step_formula(bp.graph, bare, 0) for bare in bares] == [None] * 3
    assert bp.chain(w).endswith("= array (3, 2)")
    with pytest.raises(ValueError, match="chain needs a variable of this graph"):
        bp.chain(3)


def test_nothing_of_it_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    _w, result = of_a_learner()
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    capsys.readouterr()
    for step in backward_pass(result):
        assert step.check.status == "agrees"
        assert step.local_derivatives
    assert capsys.readouterr().out == ""
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(after, state)
    assert result.creator.calls == 1
    assert result.grad is None


def test_a_learners_wrong_backward_is_found_for_arrays() -> None:
    class Forgets(Tanh):
        def backward(self, gy: Any) -> Any:
            return gy * (1 - self.outputs[0].data)

    step = backward_pass(Sum()(Forgets()(Variable(X, "x"))))[1]
    assert step.check.status == "disagrees"


def test_a_missing_backward_is_measured_for_arrays() -> None:
    class Exp(Typed):
        def compute(self, x: Any) -> Any:
            return np.exp(x)

    step = backward_pass(Sum()(Exp()(Variable(X, "x"))))[1]
    assert (step.check.status, step.check.reason) == ("not checked", "measured")
    (local,) = local_derivatives_of(step)
    assert local.kind == "points"
    np.testing.assert_allclose(local.slope, np.exp(X), rtol=1e-6)


@pytest.mark.parametrize("data", [3, [1, 2]])
def test_whole_numbers_of_dezero_have_no_jumps(data: Any) -> None:
    x = dezero.Variable(np.array(data))
    step = backward_pass(x * x)[0]
    assert step.check.status == "agrees"
    assert [local.marks for local in local_derivatives_of(step)] == [(), ()]


@pytest.mark.torch
def test_what_torch_hands_on_in_single_precision_is_known_as_that() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = torch.ones(80, 60, requires_grad=True)
    steps = backward_pass(x.reshape(60, 80).t())
    structures = [local_derivatives_of(step)[0].structure for step in steps]
    assert structures == ["permutation", "identity"]
