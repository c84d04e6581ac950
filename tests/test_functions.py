"""Each function by itself: names, values, types, and what is agreed on at kinks."""

from __future__ import annotations

import builtins
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ipygrad
from ipygrad import Function, SumTo, Variable, broadcast_to, check_grads, functions, reshape
from ipygrad import sum as sum_of
from ipygrad.engine.core import Constant, as_tuple
from ipygrad.engine.dispatch import implementations
from tests.formulas import ALL_CASES, FUNCTIONS, inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable

# Made by the engine and by backward methods only.
WITHOUT_FUNCTION = {"SumTo", "GetItemGrad"}
NUMPYS = {
    name: next(getattr(room, name) for room in (np, np.linalg) if hasattr(room, name))
    for name in FUNCTIONS
    if hasattr(np, name) or hasattr(np.linalg, name)
}

ARRAYS: list[tuple[str, Callable[[Any], Any], tuple[int, ...]]] = [
    ("sum", np.sum, (2, 3)),
    ("sum over 0", lambda x: np.sum(x, axis=0), (2, 3)),
    ("sum over -1", lambda x: np.sum(x, axis=-1), (2, 3)),
    ("sum over 0 and -1", lambda x: np.sum(x, axis=(0, -1)), (2, 3, 2)),
    ("sum, dimensions kept", lambda x: np.sum(x, axis=1, keepdims=True), (2, 3)),
    ("sum of all, dimensions kept", lambda x: np.sum(x, keepdims=True), (2, 3)),
    ("sum over nothing", lambda x: np.sum(x, axis=()), (2, 3)),
    ("sum of a number", np.sum, ()),
    ("sum of none", np.sum, (0, 3)),
    ("reshape", lambda x: np.reshape(x, (3, 2)), (2, 3)),
    ("reshape, one length left open", lambda x: np.reshape(x, (3, -1)), (2, 3)),
    ("flatten", lambda x: np.reshape(x, -1), (2, 3)),
    ("broadcast a number", lambda x: np.broadcast_to(x, (2, 3)), ()),
    ("broadcast a row", lambda x: np.broadcast_to(x, (2, 3)), (3,)),
    ("broadcast a column", lambda x: np.broadcast_to(x, (2, 3)), (2, 1)),
    ("broadcast both ways", lambda x: np.broadcast_to(x, (4, 2, 3)), (2, 1)),
]


def creators_of(result: Any) -> list[Function]:
    found: list[Function] = []
    waiting = [result]
    while waiting:
        creator = waiting.pop().creator
        if creator is not None:
            found.append(creator)
            waiting += creator.inputs
    return found


class Numpy:
    """Numpy's functions where it has them, and ours otherwise."""

    def __getattr__(self, name: str) -> Any:
        return NUMPYS.get(name) or getattr(functions, name)


@pytest.mark.parametrize("name", ALL_CASES)
def test_backward_keeps_shapes_and_writes_into_nothing_that_others_hold(name: str) -> None:
    case = ALL_CASES[name]
    y = case.formula(functions, *map(Variable, inputs_of(case, 0)))
    for function in creators_of(y):
        held = [v for v in (*function.inputs, *function.outputs) if v is not None]
        cotangents = [np.ones(v.shape) for v in function.outputs if v is not None]
        if len(cotangents) < len(function.outputs):
            continue
        before = [array.copy() for array in (*[v.data for v in held], *cotangents)]
        contributions = as_tuple(function.backward(*cotangents))
        # The reverse pass relies on the shape of what our own functions return.
        for x, gx in zip(function.inputs, contributions, strict=True):
            assert type(x) is Constant or gx.shape == x.shape
        for array, copy in zip((*[v.data for v in held], *cotangents), before, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_every_exported_function_is_looked_at() -> None:
    assert {name.partition(":")[0] for name in ALL_CASES} == set(FUNCTIONS)
    used = set(WITHOUT_FUNCTION)
    for case in ALL_CASES.values():
        y = case.formula(functions, *map(Variable, inputs_of(case, 0)))
        used.update(type(creator).__name__ for creator in creators_of(y))
    assert used == set(functions.__all__) - set(FUNCTIONS)


@pytest.mark.parametrize("name", functions.__all__)
def test_everything_is_exported_and_documented(name: str) -> None:
    value = getattr(functions, name)
    assert getattr(ipygrad, name) is value
    assert (name in ipygrad.__all__) is not hasattr(builtins, name), "import * leaves Python's own"
    assert value.__doc__
    if isinstance(value, type):
        assert issubclass(value, Function)
        assert "__dict__" not in dir(value), "a class of ours keeps nothing but its parameters"


@pytest.mark.parametrize("name", set(NUMPYS) - {"astype"})
def test_numpys_name_leads_to_the_function(name: str) -> None:
    assert implementations[NUMPYS[name]] is getattr(functions, name)


@pytest.mark.parametrize(
    "name", [name for name in ALL_CASES if name.partition(":")[0] in {*NUMPYS} - {"astype"}]
)
def test_values_are_numpys(name: str) -> None:
    case = ALL_CASES[name]
    inputs = inputs_of(case, 1)
    expected = case.formula(WithGetItem(), *inputs)
    for space in (functions, Numpy()):
        y = case.formula(space, *map(Variable, inputs))
        assert type(y) is Variable
        np.testing.assert_allclose(y.data, expected, rtol=1e-14, atol=1e-15)
        assert name.partition(":")[0] in {creator.label for creator in creators_of(y)}


class WithGetItem:
    """Numpy's functions, for arrays."""

    def __getattr__(self, name: str) -> Any:
        return NUMPYS[name]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", ALL_CASES)
def test_narrow_types_stay_narrow(name: str, dtype: Any) -> None:
    kind = name.partition(":")[0]
    if kind in ("inv", "det", "solve") and dtype == np.float16:
        pytest.skip("numpy has no linear algebra for float16")
    case = ALL_CASES[name]
    variables = [Variable(x) for x in inputs_of(case, 1, dtype)]
    y = case.formula(functions, *variables)
    assert y.dtype == (np.float64 if kind in ("float_power", "astype") else dtype)
    for create_graph in (False, True):
        for x in variables:
            x.cleargrad()
        y.backward(create_graph=create_graph)
        for creator in creators_of(y):
            for x in creator.inputs:
                if x.grad is not None:
                    assert x.grad.dtype == x.dtype


@pytest.mark.parametrize(("name", "f", "shape"), ARRAYS, ids=[name for name, *_ in ARRAYS])
def test_functions_of_whole_arrays(
    name: str, f: Callable[[Any], Any], shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(len(name))
    x = Variable(rng.normal(size=shape))
    y = f(x)
    np.testing.assert_array_equal(y.data, f(x.data), strict=True)
    # All of them are linear, so that one random direction is as good as a Jacobian.
    y.grad = rng.normal(size=y.shape)
    y.backward()
    direction = rng.normal(size=shape)
    assert x.grad.shape == shape
    assert np.sum(x.grad * direction) == pytest.approx(np.sum(y.grad * f(direction)), rel=1e-12)


def test_methods_and_functions_of_our_own_take_the_same_options() -> None:
    x = Variable(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(x.sum(axis=1, keepdims=True).data, [[3.0], [12.0]])
    np.testing.assert_array_equal(sum_of(x, 0).data, [3.0, 5.0, 7.0])
    assert x.sum().data == 15.0
    assert reshape(x, 6).shape == (6,)
    assert broadcast_to(Variable(1.0), 2).shape == (2,)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (1, 2, 3)])
def test_sum_to_undoes_broadcasting(shape: tuple[int, ...]) -> None:
    x = Variable(np.arange(12.0).reshape(2, 2, 3)[: 1 if len(shape) == 3 else 2])
    y = SumTo(shape)(x)
    assert y.shape == shape
    assert y.data.sum() == x.data.sum()
    y.backward()
    np.testing.assert_array_equal(x.grad, np.ones(x.shape), strict=True)


@pytest.mark.parametrize(
    ("f", "x", "value", "slope"),
    [
        (functions.relu, 0.0, 0.0, 0.0),
        (functions.relu, -0.0, 0.0, 0.0),
        (lambda x: x**0, 0.0, 1.0, 0.0),
        (lambda x: x**0, 3.0, 1.0, 0.0),
        (lambda x: x**1, 0.0, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0, 0.0),
        (lambda x: (-x) ** 3, 2.0, -8.0, -12.0),
        (lambda x: 0**x, 0.0, 1.0, 0.0),
        (lambda x: 0**x, 2.0, 0.0, 0.0),
        (abs, 0.0, 0.0, 0.0),
        (functions.sign, 0.0, 0.0, 0.0),
        (functions.leaky_relu, 0.0, 0.0, 0.01),
        (functions.elu, 0.0, 0.0, 1.0),
        (functions.softplus, 1000.0, 1000.0, 1.0),
        (functions.softplus, -1000.0, 0.0, 0.0),
        (functions.silu, -1000.0, 0.0, 0.0),
        (functions.gelu, -1000.0, 0.0, 0.0),
        (functions.floor, 2.0, 2.0, 0.0),
        (functions.rint, 2.5, 2.0, 0.0),
        (lambda x: x.clip(0, 1), 0.0, 0.0, 1.0),
        (lambda x: x.clip(0, 1), 1.0, 1.0, 1.0),
        (lambda x: x.clip(0, 1), 1.5, 1.0, 0.0),
        (lambda x: x.clip(min=0), -0.5, 0.0, 0.0),
        (lambda x: np.maximum(x, 3.0), 3.0, 3.0, 0.5),
        (lambda x: np.minimum(x, 3.0), 3.0, 3.0, 0.5),
        (lambda x: np.linalg.norm(x), 0.0, 0.0, 0.0),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0, 0.0),
        (lambda x: np.std(x), 3.0, 0.0, 0.0),
        (lambda x: functions.logsumexp(x), -1e308, -1e308, 1.0),
        (functions.sigmoid, 1000.0, 1.0, 0.0),
        (functions.sigmoid, -1000.0, 0.0, 0.0),
        (functions.tanh, 1000.0, 1.0, 0.0),
    ],
)
def test_conventions(
    f: Callable[[Variable], Variable], x: float, value: float, slope: float
) -> None:
    variable = Variable(x)
    y = f(variable)
    y.backward()
    assert (y.item(), variable.grad) == (value, slope)


def test_both_derivatives_of_zero_to_the_zero_are_zero() -> None:
    a, b = Variable(0.0), Variable(0.0)
    y = a**b
    y.backward()
    assert (y.item(), a.grad, b.grad) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("f", "x", "slope"), [(functions.sqrt, 0.0, np.inf), (functions.log, 0.0, np.inf)]
)
def test_infinite_slopes_are_infinite(
    f: Callable[[Variable], Variable], x: float, slope: float
) -> None:
    variable = Variable(x)
    with np.errstate(all="ignore"):
        f(variable).backward()
    assert variable.grad == slope


@pytest.mark.parametrize(
    ("f", "data", "grad"),
    [
        (np.max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (np.min, [[1.0, 1.0], [1.0, 1.0]], [[0.25, 0.25], [0.25, 0.25]]),
        (lambda x: np.max(x, axis=0), [[2.0, 5.0], [2.0, 4.0]], [[0.5, 1.0], [0.5, 0.0]]),
        (np.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (np.prod, [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (np.linalg.norm, [0.0, 0.0], [0.0, 0.0]),
        (np.std, [2.0, 2.0], [0.0, 0.0]),
        (functions.logsumexp, [0.0, -np.inf], [1.0, 0.0]),
        (functions.logsumexp, [1000.0, 1000.0], [0.5, 0.5]),
        (lambda x: x[[0, 0, 1]], [1.0, 2.0, 3.0], [2.0, 1.0, 0.0]),
        (lambda x: x[x > 1.5], [1.0, 2.0, 3.0], [0.0, 1.0, 1.0]),
        (lambda x: np.where(x > 0, x, 0), [-1.0, 2.0], [0.0, 1.0]),
        (np.sum, np.ones((0, 3)), np.ones((0, 3))),
        (lambda x: x @ x.T, np.ones((0, 3)), np.ones((0, 3))),
        (lambda x: np.concatenate([x, x]), np.ones((0,)), np.ones((0,))),
    ],
)
def test_conventions_for_arrays(f: Callable[[Any], Variable], data: Any, grad: Any) -> None:
    x = Variable(data)
    f(x).backward()
    assert x.grad.shape == np.shape(grad)
    np.testing.assert_allclose(x.grad, grad, rtol=1e-12)


def test_dropout_is_the_same_in_every_run_of_its_graph() -> None:
    x = Variable(np.ones((50, 50)))
    y = functions.dropout(x, 0.2, rng=3)
    y.backward()
    np.testing.assert_array_equal(x.grad, y.data)
    assert y.creator is not None
    np.testing.assert_array_equal(y.creator.forward_again(), y.data)
    assert set(np.unique(y.data)) == {0.0, 1.25}
    assert abs(y.mean().item() - 1) < 0.05
    np.testing.assert_array_equal(functions.dropout(x, 0.2, rng=3).data, y.data)


def test_tensordot_takes_axes_as_numpy_does() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))
    check_grads(lambda a, b: functions.tensordot(a, b, ([1], 0)), a, b)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "norm", "logsumexp"])
@pytest.mark.parametrize("axis", [0, -1])
def test_numbers_can_be_reduced_as_numpy_lets_them(name: str, axis: int) -> None:
    x = Variable(2.0)
    getattr(functions, name)(x, axis=axis).backward()
    assert x.grad == 1


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x @ x, r"matmul of 2 inputs of shape \(2, 3\) and \(2, 3\): .*mismatch"),
        (lambda x: x + np.ones(4), r"add of 2 inputs .*could not be broadcast"),
        (lambda x: np.sum(x, axis=5), r"sum of 1 input .*axis 5 is out of bounds"),
        (lambda x: np.max(x, axis=-3), r"max of 1 input .*axis -3 is out of bounds"),
        (lambda x: x[7], r"getitem of 1 input of shape \(2, 3\): index 7 is out of bounds"),
        (lambda x: x.reshape(4, 2), r"reshape .*cannot reshape"),
        (lambda x: np.concatenate([x, np.ones(3)]), r"concatenate of 2 inputs"),
        (lambda x: np.stack([x, np.ones(3)]), r"stack of 2 inputs"),
        (lambda x: np.linalg.inv(x @ x.T * 0), r"inv of 1 input of shape \(2, 2\): Singular"),
        (lambda x: np.linalg.solve(np.zeros((2, 2)), x), r"solve of 2 inputs .*Singular"),
        (lambda x: np.max(x[:0]), r"max of 1 input of shape \(0, 3\): zero-size"),
        (lambda x: np.split(x, 2, axis=1), r"split .*equal division"),
        (lambda x: np.einsum("ij,kk->j", x, x), r"einsum of 2 inputs"),
        (lambda x: functions.mean_squared_error(x, [1.0, 2.0, 3.0]), r"shapes must be equal"),
        (lambda x: functions.softmax_cross_entropy(x, [0, 3]), r"labels must be from 0 to 2"),
        (lambda x: functions.softmax_cross_entropy(x, [0]), r"as many labels as samples"),
        (lambda x: functions.softmax_cross_entropy(x, [0.0, 1.0]), r"labels as integers"),
        (lambda x: functions.dropout(x, 1.0), r"dropout needs a ratio"),
        (lambda x: x + "a", r"A constant in add holds real numbers, but got text: 'a'"),
        (lambda x: x * None, r"A constant in multiply holds real numbers, but got Python objects"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(f: Callable[[Variable], Any], words: str) -> None:
    with pytest.raises((ValueError, IndexError, TypeError, np.linalg.LinAlgError), match=words):
        f(Variable(np.arange(6.0).reshape(2, 3)))


@pytest.mark.parametrize(
    ("matrix", "cofactors"),
    [
        ([[0.0]], [[1.0]]),
        ([[1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0], [-1.0, 1.0]]),
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [4.0, 5.0, 6.0]], [[0, 0, 0], [3, -6, 3], [0, 0, 0]]),
        (
            [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
            [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]],
        ),
        (np.ones((3, 3)) + np.diag([0, 0, 1]), [[1, -1, 0], [-1, 1, 0], [0, 0, 0]]),
        (np.zeros((3, 3)), np.zeros((3, 3))),
        ([np.eye(2), np.ones((2, 2))], [np.eye(2), [[1.0, -1.0], [-1.0, 1.0]]]),
    ],
)
def test_the_determinant_of_a_singular_matrix_has_cofactors(matrix: Any, cofactors: Any) -> None:
    x = Variable(np.array(matrix, float))
    functions.det(x).backward()
    np.testing.assert_allclose(x.grad, cofactors, rtol=1e-12, atol=1e-12)
    ipygrad.check_grads(functions.det, x.data, order=2)


def test_a_large_matrix_with_a_row_of_zeros_takes_little_memory() -> None:
    data = np.random.default_rng(0).normal(size=(60, 60)) / 5
    data[7] = 0.0
    x = Variable(data)
    tracemalloc.start()
    try:
        functions.det(x).backward()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 10 * data.nbytes
    row = np.random.default_rng(1).normal(size=60)
    data[7] = row
    assert abs(x.grad[7] @ row / np.linalg.det(data) - 1) < 1e-9


def test_the_product_of_many_with_a_zero_takes_little_memory() -> None:
    data = np.random.default_rng(0).uniform(0.999, 1.001, 20_000)
    data[7_000] = 0.0
    x = Variable(data)
    tracemalloc.start()
    try:
        functions.prod(x).backward()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    expected = np.zeros(data.size)
    expected[7_000] = np.prod(np.delete(data, 7_000))
    np.testing.assert_allclose(x.grad, expected, rtol=1e-11)
    assert most < 30 * data.nbytes


def test_mixed_types_meet_in_the_wider_one_and_gradients_come_back_in_their_own() -> None:
    narrow, wide = Variable(np.array([1, 2], np.float32)), Variable([3.0, 4.0])
    for create_graph in (False, True):
        y = narrow * wide
        y.backward(create_graph=create_graph)
        assert (y.dtype, narrow.grad.dtype, wide.grad.dtype) == (float, np.float32, float)
        narrow.cleargrad()
        wide.cleargrad()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("f", [np.sum, np.max, np.exp, np.square, functions.softmax, np.std])
def test_nan_and_infinity_do_not_vanish(f: Callable[[Any], Variable], bad: float) -> None:
    x = Variable([1.0, bad, 2.0])
    with np.errstate(all="ignore"):
        y = f(x)
        y.backward()
    assert not np.all(np.isfinite(y.data))
