"""Jacobians, by one backward call for each output element, and the structure of large ones."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Variable
from ipygrad import functions as F  # noqa: N812
from ipygrad.explain.local import LocalDerivative, local_derivative_of
from ipygrad.explain.structure import STRUCTURES, structure_of
from ipygrad.explain.words import Words
from ipygrad.show.heatmap import sketch

if TYPE_CHECKING:
    from collections.abc import Callable


def found(y: Any, argnum: int = 0) -> LocalDerivative:
    function = (y if isinstance(y, Variable) else y[0]).creator
    assert function is not None
    return local_derivative_of(function, argnum, x_name="x", y_name="y", label=function.label)


def normal(*shape: int) -> Variable:
    return Variable(np.random.default_rng(0).normal(size=shape))


def test_matmul() -> None:
    a, b = normal(2, 3), Variable(np.arange(6.0).reshape(3, 2))
    y = a @ b
    by_a, by_b = found(y, 0), found(y, 1)
    assert by_a.kind == "jacobian"
    assert by_a.slope is None
    assert by_a.samples is None
    assert by_a.jacobian is not None
    assert by_b.jacobian is not None
    np.testing.assert_allclose(by_a.jacobian, np.einsum("ik,jl->ijkl", np.eye(2), b.data.T))
    np.testing.assert_allclose(by_b.jacobian, np.einsum("ik,jl->ijkl", a.data, np.eye(2)))


def test_several_outputs_are_one_below_the_other() -> None:
    parts = F.split(Variable([1.0, 2.0, 3.0]), [1])
    local = found(parts)
    np.testing.assert_array_equal(local.jacobian, np.eye(3))
    np.testing.assert_array_equal(local.y, [1.0, 2.0, 3.0])
    assert local.structure == "identity"


def test_an_output_that_is_gone_is_computed_again() -> None:
    _, second = F.split(Variable([1.0, 2.0, 3.0]), [1])
    del _
    np.testing.assert_array_equal(found(second).jacobian, np.eye(3))


X = Variable(np.arange(12.0).reshape(3, 4))
CASES: dict[str, tuple[Callable[[Any], Any], str | None]] = {
    "sum": (F.sum, "ones"),
    "sum of rows": (lambda x: F.sum(x, axis=1), "blocks"),
    "mean": (F.mean, "constant"),
    "reshape": (lambda x: F.reshape(x, (2, -1)), "identity"),
    "transpose": (F.transpose, "permutation"),
    "element": (lambda x: x[0, 1], "selection"),
    "pad": (lambda x: F.pad(x, 1), "selection"),
    "columns": (lambda x: x[:, ::2], "selection"),
    "cumsum": (lambda x: F.cumsum(F.ravel(x)), "triangular"),
    "softmax": (lambda x: F.softmax(F.ravel(x)), None),
    "matmul": (lambda x: x @ Variable(np.arange(1.0, 5.0)), "blocks"),
    "norm": (lambda x: F.norm(x), None),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("large", [False, True])
def test_structure(name: str, large: bool) -> None:
    make, expected = CASES[name]
    x = normal(80, 60) if large else normal(3, 4)
    if large and name == "matmul":
        y: Any = x @ normal(60)
    else:
        y = make(x)
    local = found(y)
    assert local.structure == expected
    assert (local.jacobian is None) == large


def test_structures_of_matrices() -> None:
    assert structure_of(np.diag([1.0, 2.0])) == "diagonal"
    assert structure_of(np.zeros((2, 3))) == "zero"
    assert structure_of(np.array([[np.nan, 1.0]])) is None
    assert structure_of(np.array([[3.0]])) is None


@pytest.mark.parametrize("structure", STRUCTURES)
def test_each_structure_has_a_sketch_and_words(structure: str) -> None:
    assert structure_of(sketch(structure)) == structure
    assert Words()(f"plot_structure_{structure}")


@pytest.mark.parametrize(
    "make",
    [
        lambda: F.sum(normal(1_000_000)),
        lambda: normal(512, 512) @ normal(512, 512),
        lambda: F.softmax(normal(300, 300)),
        lambda: F.transpose(normal(1000, 1000)),
    ],
)
def test_no_array_of_that_size_is_ever_made(make: Callable[[], Any]) -> None:
    y = make()
    bytes_of_arrays = y.data.nbytes + sum(x.data.nbytes for x in y.creator.inputs)
    tracemalloc.start()
    try:
        local = found(y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert local.jacobian is None
    assert peak < 20 * bytes_of_arrays


class Halved(Function):
    def __init__(self, returned: Any) -> None:
        self.returned = returned

    def forward(self, x: Any) -> Any:
        return x[:2]

    def backward(self, _gy: Any) -> Any:
        if isinstance(self.returned, Exception):
            raise self.returned
        return self.returned


@pytest.mark.parametrize("returned", [ZeroDivisionError(), None, np.ones(9), "text", ()])
@pytest.mark.parametrize("size", [4, 5000])
def test_a_broken_backward_gives_none(returned: Any, size: int) -> None:
    local = found(Halved(returned)(Variable(np.ones(size))))
    assert (local.kind, local.jacobian, local.structure) == ("jacobian", None, None)


def test_arrays_without_elements() -> None:
    assert found(F.exp(Variable(np.empty((0, 2))))).jacobian is not None
    assert found(F.sum(Variable(np.empty(0)))).jacobian is not None
