"""Variables, functions and the reverse pass: what the engine promises, on small examples."""

from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import (
    Add,
    BackwardError,
    Exp,
    Function,
    Square,
    Variable,
    add,
    broadcast_to,
    exp,
    log,
    multiply,
    no_grad,
    power,
    relu,
    reshape,
    sin,
    square,
    sum,  # noqa: A004 - numpy's name
    tanh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

X_GRAD = 3.297442541400256
DEEP = 100_000


def seed() -> tuple[Variable, Variable, Variable, Variable]:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    return x, a, b, square(b)


# --- functions as learners write them ---


class Cube(Function):
    def forward(self, x: Any) -> Any:
        return x**3

    def backward(self, gy: Any) -> Any:
        return 3 * self.input.data**2 * gy


class DifferentiableCube(Cube):
    def backward(self, gy: Any) -> Any:
        return 3 * self.input**2 * gy


class Unpack(Function):
    """Two outputs of different shapes: the elements times 2, and their sum."""

    def forward(self, x: Any) -> Any:
        return 2 * x, x.sum()

    def backward(self, g_doubled: Any, g_total: Any) -> Any:
        return 2 * g_doubled + g_total


class Book(Function):
    """Its own ``__call__``, as the first steps of the book have it."""

    def __call__(self, input: Any) -> Any:  # noqa: A002 - the notes call it so
        x = input.data
        y = self.forward(x)
        output = Variable(y)
        output.set_creator(self)
        self.input = input
        self.output = output
        return output


class BookSquare(Book):
    def forward(self, x: Any) -> Any:
        return x**2

    def backward(self, gy: Any) -> Any:
        x = self.input.data
        return 2 * x * gy


class BookSquareBackToFront(BookSquare):
    def __call__(self, input: Any) -> Any:  # noqa: A002 - the notes call it so
        output = Variable(self.forward(input.data))
        output.set_creator(self)
        self.output = output
        self.input = input
        return output


# --- data ---


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (0.5, np.array(0.5)),
        (3, np.array(3.0)),
        (True, np.array(1.0)),
        (np.float64(0.5), np.array(0.5)),
        (np.float32(0.5), np.array(0.5, np.float32)),
        (np.int8(3), np.array(3.0)),
        ([1, 2], np.array([1.0, 2.0])),
        ([[1.5], [2]], np.array([[1.5], [2.0]])),
        ((True, False), np.array([1.0, 0.0])),
        (np.arange(3, dtype=np.uint8), np.array([0.0, 1.0, 2.0])),
        (np.ones((2, 0), np.float16), np.ones((2, 0), np.float16)),
    ],
    ids=repr,
)
def test_data_becomes_an_array_of_floating_point_numbers(data: object, expected: Any) -> None:
    x = Variable(data)
    assert type(x.data) is np.ndarray
    assert x.data.dtype == expected.dtype
    np.testing.assert_array_equal(x.data, expected, strict=True)
    assert (x.shape, x.ndim, x.size) == (expected.shape, expected.ndim, expected.size)
    assert (x.grad, x.creator, x.name) == (None, None, None)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("0.5", r"text: '0\.5'"),
        (b"1", "bytes"),
        (None, "None"),
        ({}, "Python objects"),
        ([1, None], "Python objects"),
        (1j, "complex numbers"),
        ([[1], [2, 3]], "rows of different lengths"),
        (np.datetime64("2026-01-01"), "datetime64"),
        (Variable(1.0), r"pass its \.data"),
        ([Variable(1.0)], r"\.data"),
    ],
    ids=repr,
)
def test_data_without_a_derivative_is_refused(data: object, found: str) -> None:
    with pytest.raises(TypeError, match=found):
        Variable(data)
    with pytest.raises(TypeError, match=found):
        Variable(1.0).data = data


def test_floating_point_data_is_kept_not_copied() -> None:
    data = np.array([1.0, 2.0])
    assert Variable(data).data is data


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: 2 * x,
        lambda x: x + True,
        lambda x: 1 / x,
        lambda x: 1 - x,
        lambda x: x**2,
        lambda x: 2.5**x,
        lambda x: sum(tanh(x) * x),
        lambda x: np.float16(2) * relu(x),
    ],
)
def test_narrow_types_stay(f: Callable[[Variable], Variable], dtype: type) -> None:
    x = Variable(np.array([0.5, 0.25], dtype))
    y = f(x)
    y.backward()
    assert (y.dtype, y.grad.dtype, x.grad.dtype) == (dtype, dtype, dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, ">f8"])
def test_one_minus_a_square_keeps_its_type_and_hands_nan_and_infinity_on(dtype: Any) -> None:
    x = Variable(np.array([0.0, 0.5, 1.0, np.inf, np.nan, 0.25], dtype))
    y = tanh(x)
    y.grad = np.array([np.inf, 2.0, np.nan, 1.0, 1.0, -np.inf])
    y.backward()
    expected = [np.inf, 2 * (1 - np.tanh(0.5) ** 2), np.nan, 0.0, np.nan, -np.inf]
    assert x.grad.dtype == np.dtype(dtype)
    np.testing.assert_allclose(x.grad.astype(float), expected, rtol=2e-3)
    np.testing.assert_array_equal(y.data, np.tanh(x.data))


def test_a_cotangent_by_hand_takes_the_type_of_its_variable() -> None:
    x = Variable(np.float32(0.5))
    y = square(x)
    y.grad = np.array(1.0)
    y.backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        (Variable(0.5), "Variable(0.5)"),
        (Variable([1, 2], name="w"), "Variable([1., 2.], name='w')"),
        (square(3), "Variable(9.0, made by square)"),
        (Cube()(Variable(2.0)), "Variable(8.0, made by Cube)"),
    ],
    ids=str,
)
def test_repr(variable: Variable, text: str) -> None:
    assert repr(variable) == text


# --- gradients ---


def test_the_seed_chain_to_the_last_digit() -> None:
    x, a, b, y = seed()
    y.backward()
    grads = [v.grad.item() for v in (y, b, a, x)]
    assert grads == [1.0, 2.568050833375483, X_GRAD, X_GRAD]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_two_passes_give_twice_the_gradient_and_no_more(shape: tuple[int, ...]) -> None:
    x = Variable(np.full(shape, 0.5))
    a = square(x)
    y = square(exp(a))
    for turn in (1, 2, 3):
        y.backward()
        for variable, once in ((y, 1.0), (a, X_GRAD), (x, X_GRAD)):
            assert type(variable.grad) is np.ndarray
            np.testing.assert_array_equal(variable.grad, np.full(shape, turn * once))


def test_two_results_add_up_and_cleargrad_starts_afresh() -> None:
    x = Variable(3.0)
    square(x).backward()
    exp(0 * x).backward()
    assert x.grad == 6.0
    (2 * x).backward()
    assert x.grad == 8.0
    x.cleargrad()
    assert x.grad is None
    (2 * x).backward()
    assert x.grad == 2.0


def test_a_gradient_by_hand_is_where_the_pass_starts() -> None:
    x, a, _, y = seed()
    y.grad = np.array(10.0)
    assert y.grad_by_hand
    for turn in (1, 2):
        y.backward()
        assert y.grad == 10.0
        assert a.grad == pytest.approx(turn * 10 * X_GRAD, rel=1e-15)
    assert not x.grad_by_hand
    y.grad = None
    x.cleargrad()
    y.backward()
    assert [v.grad.item() for v in (y, x)] == [1.0, X_GRAD]


def test_a_gradient_left_at_the_result_is_not_where_the_next_pass_starts() -> None:
    x = Variable(3.0)
    y = square(x)
    z = 10 * y
    z.backward()
    assert y.grad == 10.0
    y.backward()
    assert (y.grad, x.grad) == (11.0, 66.0)


def test_several_numbers_start_from_ones_or_from_what_is_assigned() -> None:
    x = Variable([1.0, 2.0])
    y = square(x)
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    x.cleargrad()
    y.grad = [1, 10]
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 40.0])


@pytest.mark.parametrize(
    ("grad", "error", "words"),
    [
        (np.ones(2), ValueError, r"loss has data of shape \(\), .* got shape \(2,\)"),
        ("1", TypeError, "A gradient holds real numbers"),
    ],
)
def test_a_gradient_that_does_not_fit_is_refused(
    grad: object, error: type[Exception], words: str
) -> None:
    y = Variable(1.0, name="loss")
    with pytest.raises(error, match=words):
        y.grad = grad
    assert y.grad is None


def test_a_leaf_has_nothing_to_go_back_through() -> None:
    with pytest.raises(ValueError, match=r"w has no creator: no recorded function made it.*square"):
        Variable(1.0, name="w").backward()


def test_intermediate_gradients_can_be_dropped() -> None:
    x, a, b, y = seed()
    y.backward(retain_grad=False)
    assert (x.grad, a.grad, b.grad, y.grad) == (X_GRAD, None, None, None)


# --- the shape of the graph ---


def test_a_variable_used_twice_gets_the_sum() -> None:
    x = Variable(3.0)
    add(x, x).backward()
    assert x.grad == 2.0
    x.cleargrad()
    (x * x + x).backward()
    assert x.grad == 7.0


def test_a_function_waits_for_all_its_gradients() -> None:
    x = Variable(2.0)
    a = square(x)
    y = square(a) + square(a)
    y.backward()
    assert (y.item(), a.grad, x.grad) == (32.0, 16.0, 64.0)
    assert y.creator is not None
    assert (y.creator.generation, y.generation, x.generation) == (2, 3, 0)


@pytest.mark.parametrize(("times", "expected"), [(1, 4.0), (2, 32.0), (3, 1024.0)])
@pytest.mark.parametrize("kind", [Square, BookSquare, BookSquareBackToFront])
def test_one_object_called_again_and_again(
    kind: type[Function], times: int, expected: float
) -> None:
    f = kind()
    x = y = Variable(2.0)
    for _ in range(times):
        y = f(y)
    y.backward()
    assert y.creator is f
    assert f.output is y
    assert x.grad == expected


def test_one_object_called_on_two_variables_keeps_both_histories() -> None:
    f = Square()
    x, z = Variable(3.0), Variable(5.0)
    a, b = f(x), f(z)
    (a + b).backward()
    assert (x.grad, z.grad) == (6.0, 10.0)
    assert f.input is z


@pytest.mark.parametrize(
    ("kept", "expected"), [("first", [2.0, 2.0]), ("second", [1.0, 1.0]), ("both", [3.0, 3.0])]
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_an_output_that_was_dropped_counts_as_zero(
    kept: str, expected: list[float], create_graph: bool
) -> None:
    x = Variable([1.0, 5.0])
    doubled, total = Unpack()(x)
    if kept == "first":
        y = sum(doubled)
        del total
    elif kept == "second":
        y = 1 * total
        del doubled
    else:
        y = sum(doubled) + total
    y.backward(create_graph=create_graph)
    grad = x.grad.data if create_graph else x.grad
    np.testing.assert_array_equal(grad, expected)


def test_outputs_know_their_function() -> None:
    f = Unpack()
    x = Variable([1.0, 5.0])
    doubled, total = f(x)
    assert (f.input, f.inputs) == (x, (x,))
    assert f.outputs == (doubled, total)
    assert (doubled.creator, total.creator) == (f, f)
    with pytest.raises(AttributeError, match=r"Unpack has 2 outputs: use \.outputs"):
        _ = f.output
    with pytest.raises(AttributeError, match=r"add has 2 inputs: use \.inputs"):
        _ = add(x, x).creator.input  # type: ignore[union-attr]
    del doubled
    assert f.outputs == (None, total)


@pytest.mark.parametrize("attribute", ["inputs", "input", "outputs", "output", "generation"])
def test_a_function_that_was_not_called_says_so(attribute: str) -> None:
    with pytest.raises(AttributeError, match=r"this Cube has not been called.*y = Cube\(\)\(x\)"):
        getattr(Cube(), attribute)
    assert not Cube().is_recorded


def test_an_unknown_attribute_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="'Cube' object has no attribute 'nonsense'"):
        _ = Cube().nonsense  # type: ignore[attr-defined]


# --- functions of one's own ---


def test_an_own_call_that_sets_the_links_by_hand() -> None:
    x = Variable(np.array(0.5))
    f, g = BookSquare(), Exp()
    a = f(x)
    y = square(g(a))
    assert (a.creator, f.input, f.output, f.generation) == (f, x, a, 0)
    y.backward()
    assert x.grad == X_GRAD


def test_label_is_the_class_name_unless_it_is_given() -> None:
    class Halve(Function):
        label = "half of"

    assert (Cube.label, DifferentiableCube().label, Halve.label) == (
        "Cube",
        "DifferentiableCube",
        "half of",
    )


@pytest.mark.parametrize(
    ("method", "words"), [("forward", "no forward yet"), ("backward", "no backward yet")]
)
def test_a_missing_method_says_what_to_define(method: str, words: str) -> None:
    class Half(Function):
        pass

    with pytest.raises(NotImplementedError, match=f"Half has {words}: define {method}"):
        getattr(Half(), method)(np.array(1.0))


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, r"Bad\.forward returned None: did you forget 'return y'"),
        ("text", r"What Bad\.forward returns holds real numbers, but got text"),
    ],
)
def test_what_forward_returns_is_checked(returned: object, words: str) -> None:
    class Bad(Function):
        def forward(self, _x: Any) -> Any:
            return returned

    with pytest.raises(TypeError, match=words):
        Bad()(Variable(1.0))


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    ("backward", "words"),
    [
        (lambda _gy: None, r"Bad\.backward returned 1 contribution for 2 inputs: return one"),
        (lambda gy: (gy,) * 3, r"Bad\.backward returned 3 contributions for 2 inputs"),
        (lambda gy: (gy, None), r"Bad\.backward returned None for input 2: did you forget"),
        (lambda gy: (gy, "1"), r"What Bad\.backward returns for input 2 holds real numbers"),
        (
            lambda gy: (np.ones((3, 1)), gy),
            r"Bad\.backward returned shape \(3, 1\) for input 1, but that input has shape \(2,\)",
        ),
        (lambda gy: gy[5], r"Bad\.backward raised IndexError: index 5 is out of bounds"),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_backward_that_does_not_fit_changes_no_gradient(
    backward: Callable[[Any], Any], words: str, create_graph: bool
) -> None:
    class Bad(Function):
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

        def backward(self, gy: Any) -> Any:
            return backward(gy)

    x, z = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    a = square(x)
    bad = Bad()(a, z)
    y = sum(bad) + sum(a)
    if create_graph:
        words = words.replace("index 5", r"getitem of 1 input of shape \(2,\): index 5")
    with pytest.raises(BackwardError, match=words) as raised:
        y.backward(create_graph=create_graph)
    assert raised.value.function is bad.creator
    assert [v.grad for v in (x, z, a, bad, y)] == [None] * 5


def test_one_input_is_not_numbered_in_messages() -> None:
    class Forgot(Cube):
        def backward(self, gy: Any) -> Any:
            3 * self.input.data**2 * gy

    with pytest.raises(BackwardError, match=r"backward returned None: did you forget 'return gx'"):
        Forgot()(Variable(2.0)).backward()


def test_a_creator_of_a_foreign_class_is_refused() -> None:
    class Foreign:
        pass

    y = Variable(1.0, name="y")
    y.set_creator(Foreign())  # type: ignore[arg-type]
    refusal = r"y was made by a Foreign that is no ipygrad Function.*class Foreign\(Function\)"
    with pytest.raises(TypeError, match=refusal):
        y.backward()
    with pytest.raises(TypeError, match=refusal):
        square(y)


# --- gradients of gradients ---


@pytest.mark.parametrize(
    ("f", "x", "derivatives"),
    [
        (lambda x: x**4 - 2 * x**2, 2.0, [24.0, 44.0, 48.0, 24.0, 0.0]),
        (sin, 1.0, [np.cos(1.0), -np.sin(1.0), -np.cos(1.0), np.sin(1.0)]),
        (lambda x: 1 / x, 2.0, [-1 / 4, 2 / 8, -6 / 16]),
        (lambda x: power(2.0, x), 3.0, [8 * np.log(2) ** n for n in (1, 2, 3)]),
        (lambda x: x**x, 1.0, [1.0, 2.0, 3.0]),
        (lambda x: sum(broadcast_to(x, (3, 2)) ** 2), 2.0, [24.0, 12.0, 0.0]),
        (lambda x: sum(np.array([1.0, 2.0]) * x * x), 2.0, [12.0, 6.0]),
        (lambda x: sum(reshape(x, (1, 1)) ** 3, axis=0, keepdims=True), 2.0, [12.0, 12.0, 6.0]),
        (lambda x: DifferentiableCube()(x), 2.0, [12.0, 12.0, 6.0, 0.0]),
    ],
)
def test_higher_derivatives_are_exact(
    f: Callable[[Variable], Variable], x: float, derivatives: list[float]
) -> None:
    u = Variable(x)
    y = f(u)
    for expected in derivatives:
        u.cleargrad()
        y.backward(create_graph=True)
        assert type(u.grad) is Variable
        assert u.grad.data == pytest.approx(expected, rel=1e-14)
        y = u.grad


class ReadsData(Cube):
    pass


class TurnsToFloat(Cube):
    def backward(self, gy: Any) -> Any:
        return 3 * float(self.input) ** 2 * gy


class TakesItem(Cube):
    def backward(self, gy: Any) -> Any:
        return 3 * self.input.item() ** 2 * gy


class RemembersInput(Cube):
    def forward(self, x: Any) -> Any:
        self.kept = x
        return x**3

    def backward(self, gy: Any) -> Any:
        return 3 * self.kept**2 * gy


class RemembersSlope(RemembersInput):
    def forward(self, x: Any) -> Any:
        self.slope = 3 * x**2
        return x**3

    def backward(self, gy: Any) -> Any:
        return self.slope * gy


class RemembersFloat(RemembersInput):
    def forward(self, x: Any) -> Any:
        self.kept = float(x)
        return x**3


class RemembersTuple(RemembersInput):
    def forward(self, x: Any) -> Any:
        self.saved = (x, "x")
        return x**3

    def backward(self, gy: Any) -> Any:
        return 3 * self.saved[0] ** 2 * gy


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ReadsData, r"ReadsData\.backward reads \.data"),
        (TurnsToFloat, r"TurnsToFloat\.backward reads \.data"),
        (TakesItem, r"TakesItem\.backward reads \.data"),
        (RemembersInput, r"RemembersInput\.forward keeps self\.kept"),
        (RemembersSlope, r"RemembersSlope\.forward keeps self\.slope"),
        (RemembersFloat, r"RemembersFloat\.forward keeps self\.kept"),
        (RemembersTuple, r"RemembersTuple\.forward keeps self\.saved"),
    ],
)
def test_a_second_derivative_that_would_be_wrong_is_refused(
    kind: type[Function], words: str
) -> None:
    x = Variable(2.0)
    y = kind()(x)
    with pytest.raises(BackwardError, match=words) as raised:
        y.backward(create_graph=True)
    assert raised.value.function is y.creator
    assert x.grad is None
    y.backward()
    assert x.grad == 12.0
    assert x.data == 2.0


def test_arrays_and_numbers_given_at_creation_may_be_kept() -> None:
    class Scale(Function):
        def __init__(self, by: Any) -> None:
            self.by = by

        def forward(self, x: Any) -> Any:
            return self.by * x

        def backward(self, gy: Any) -> Any:
            return self.by * gy

    for by in (np.array(3.0), 3.0, 3):
        x = Variable(2.0)
        (Scale(by)(x) ** 2).backward(create_graph=True)
        gx, x.grad = x.grad, None
        gx.backward()
        assert gx.item() == 36.0
        assert x.grad == 18.0


# --- recording and constants ---


def test_no_grad_as_context_and_as_decorator() -> None:
    x = Variable(2.0)
    f = Square()
    with no_grad():
        y = f(x)
    assert (y.data, y.creator, f.is_recorded) == (4.0, None, False)

    @no_grad()
    def predict(x: Variable) -> Variable:
        return square(x)

    assert predict(x).creator is None
    with pytest.raises(KeyError), no_grad():
        _raise(KeyError())
    assert square(x).creator is not None


def test_numbers_and_arrays_in_a_formula_are_constants() -> None:
    x = Variable([1.0, 2.0])
    y = 3 * x + np.array([10.0, 20.0])
    assert y.creator is not None
    product, constant = y.creator.inputs
    y.backward()
    assert constant.grad is None
    assert product.creator.inputs[0].grad is None  # type: ignore[union-attr]
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])


@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [
        (lambda x: np.array(2.0) * x, 6.0, 2.0),
        (lambda x: np.float64(2.0) * x, 6.0, 2.0),
        (lambda x: 2 * x, 6.0, 2.0),
        (lambda x: x * 2, 6.0, 2.0),
        (lambda x: 1 / x, 1 / 3, -1 / 9),
        (lambda x: x / 2, 1.5, 0.5),
        (lambda x: x**2, 9.0, 6.0),
        (lambda x: 2**x, 8.0, 8 * np.log(2)),
        (lambda x: np.array(2.0) ** x, 8.0, 8 * np.log(2)),
        (lambda x: x + 1, 4.0, 1.0),
        (lambda x: 1 + x, 4.0, 1.0),
        (lambda x: x - 1, 2.0, 1.0),
        (lambda x: 1 - x, -2.0, -1.0),
        (lambda x: np.array(1.0) - x, -2.0, -1.0),
        (lambda x: -x, -3.0, -1.0),
        (lambda x: +x * 1, 3.0, 1.0),
    ],
)
def test_operators(f: Callable[[Variable], Variable], value: float, slope: float) -> None:
    x = Variable(3.0)
    y = f(x)
    y.backward()
    assert type(y) is Variable
    assert y.item() == pytest.approx(value)
    assert x.grad == pytest.approx(slope)


def test_comparisons_compare_data() -> None:
    x, y = Variable(1.0), Variable(2.0)
    assert x < y
    assert x <= 1
    assert y > 1
    assert y >= np.array(2.0)
    assert np.array(0.5) < x
    assert not x > y
    np.testing.assert_array_equal(Variable([1.0, 3.0]) > 2, [False, True])
    assert bool(x)
    assert not Variable(0.0)
    assert (float(y), y.item(), len(Variable([1.0, 3.0]))) == (2.0, 2.0, 2)


def test_equality_is_identity() -> None:
    x, same = Variable(1.0), Variable(1.0)
    assert x == next(iter({x}))
    assert x != same
    assert {x: "x", same: "same"}[same] == "same"
    assert x not in [same]


# --- numpy's functions ---


@pytest.mark.parametrize(
    ("numpy_function", "own"),
    [(np.exp, exp), (np.log, log), (np.tanh, tanh), (np.square, square), (np.sum, sum)],
)
def test_numpy_functions_keep_the_history(
    numpy_function: Callable[[Any], Any], own: Callable[[Any], Variable]
) -> None:
    x, z = Variable([0.5, 2.0]), Variable([0.5, 2.0])
    y = numpy_function(x)
    assert type(y) is Variable
    y.backward()
    own(z).backward()
    np.testing.assert_array_equal(x.grad, z.grad)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.asarray(x), r"lose its history: use its \.data"),
        (lambda x: np.array([x, x]), r"use its \.data"),
        (lambda x: np.add.reduce(x), r"np\.add\.reduce has no derivative here"),
        (lambda x: np.multiply.outer(x, x), r"np\.multiply\.outer has no derivative"),
        (lambda x: np.exp(x, out=np.ones(2)), r"np\.exp with out="),
        (lambda x: np.exp(np.ones(2), out=(x,)), r"np\.exp with out="),
        (lambda x: np.ones(2).__iadd__(x), r"np\.add with out="),
        (lambda x: np.sum(x, where=[True, False]), r"np\.sum with where="),
        (lambda x: np.sum(x, dtype=float), r"np\.sum with dtype="),
        (lambda x: np.fmod(x, 1), r"np\.fmod has no derivative here\. Use a function"),
        (lambda x: np.linalg.eigh(x), r"np\.linalg\.eigh has no derivative here"),
        (lambda x: np.median(x), r"np\.median has no derivative here\. Use np\.mean"),
        (lambda x: np.add.accumulate(x), r"np\.add\.accumulate .* Use np\.cumsum"),
        (lambda x: np.linalg.norm(x, 1), r"norm with ord=1 has no derivative here"),
        (lambda x: np.pad(x, 1, mode="edge"), r"pad has a derivative here for a margin of one"),
        (lambda x: np.clip(x, x, 3), r"clip takes its limits as constants"),
        (lambda x: x[x], r"getitem takes no Variable as an index"),
        (lambda x: x.__setitem__(0, 1.0), r"cannot be assigned"),
        (lambda x: np.einsum(x, [0], [0]), r"einsum takes its subscripts as one text"),
        (lambda x: x.astype(int), r"astype to int64 has no derivative"),
        (lambda x: x.item(), r"shape \(2,\) is not one number"),
        (lambda x: format(x, ".2f"), r"shape \(2,\) has no format '.2f'"),
        (lambda x: len(x[0]), r"has no len"),
        (lambda x: iter(x[0]), r"cannot be iterated over"),
    ],
)
def test_what_numpy_would_do_without_a_history_is_refused(
    call: Callable[[Variable], Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        call(Variable([1.0, 2.0]))


# --- memory ---


class HandsOnItsData(Function):
    """A wrong backward that returns the very array of its input."""

    def forward(self, x: Any) -> Any:
        return x * 1

    def backward(self, _gy: Any) -> Any:
        return self.input.data


@pytest.mark.parametrize(
    "f",
    [
        add,
        lambda x, z: x + z + x,
        lambda x, z: tanh(tanh(x) + z) + z,
        lambda x, z: reshape(x, (1, 2)) + z,
        lambda x, z: sum(x) + sum(z, axis=0),
        lambda x, z: broadcast_to(x, (2, 2)) - z,
        lambda x, z: HandsOnItsData()(x) + z,
    ],
)
def test_each_gradient_owns_its_memory(f: Callable[[Variable, Variable], Variable]) -> None:
    x, z = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    a, b = 1 * x, 1 * z
    y = f(a, b)
    y.grad = start = np.ones(y.shape)
    y.backward()
    arrays = [start, *(v.data for v in (x, z, a, b, y)), *(v.grad for v in (x, z, a, b))]
    for changed in (x, z, a, b):
        before = [array.copy() for array in arrays]
        changed.grad[...] = -7.0
        for array, unchanged in zip(arrays, before, strict=True):
            if array is not changed.grad:
                np.testing.assert_array_equal(array, unchanged)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [Square, Cube, BookSquare])
def test_a_graph_is_freed_at_once(kind: type[Function]) -> None:
    with without_garbage_collection():
        x = Variable(2.0)
        y = tanh(kind()(x)) * x + x
        y.backward()
        watched = [weakref.ref(kept) for kept in (y, y.creator, x)]
        del x, y
        assert [reference() for reference in watched] == [None] * 3


def test_a_failed_pass_is_freed_at_once() -> None:
    with without_garbage_collection():
        y = Function.__call__(DropsGradient(), Variable(2.0))
        with pytest.raises(BackwardError):
            y.backward()
        watched = weakref.ref(y)
        del y
        assert watched() is None


class DropsGradient(Cube):
    def backward(self, _gy: Any) -> Any:
        return None


@pytest.mark.parametrize(("create_graph", "size"), [(False, DEEP), (True, DEEP // 10)])
def test_deep_and_wide_graphs(create_graph: bool, size: int) -> None:
    x = Variable(0.5)
    deep = x
    for _ in range(size):
        deep = deep * 1
    leaves = [Variable(1.0) for _ in range(size)]
    wide = leaves[0]
    for leaf in leaves[1:]:
        wide = wide + leaf
    y = deep * wide
    y.backward(create_graph=create_graph)
    grads = [v.grad.data if create_graph else v.grad for v in (x, leaves[0], leaves[-1])]
    assert grads == [size, 0.5, 0.5]


def test_one_function_of_very_many_inputs() -> None:
    class SumOfAll(Function):
        def forward(self, *xs: Any) -> Any:
            return np.sum(xs)

        def backward(self, gy: Any) -> Any:
            return (gy,) * len(self.inputs)

    leaves = [Variable(1.0) for _ in range(DEEP)]
    y = SumOfAll()(*leaves)
    y.backward()
    assert y.data == DEEP
    assert all(leaf.grad == 1.0 for leaf in leaves)


def test_the_classes_can_be_called_like_the_functions() -> None:
    x = Variable(3.0)
    assert Add()(x, 2).data == add(x, 2).data == 5.0
    assert multiply(x, x).data == Square()(x).data == 9.0


def test_a_backward_cannot_change_what_arrives_in_place() -> None:
    class Doubles(Function):
        def forward(self, x: Any) -> Any:
            return x + x

        def backward(self, gy: Any) -> Any:
            gy *= 2
            return gy

    x = Variable([1.0, 2.0])
    y = Doubles()(x)
    with pytest.raises(BackwardError, match="read-only"):
        (y * 3).backward()
    assert y.grad is None
