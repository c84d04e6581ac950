"""A Variable behaves as numpy users expect of an array, and keeps its history while it does."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardError, Function, Variable, exp, no_grad, square, tanh

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.mark.parametrize(
    "ask",
    [
        *(lambda x: x.shape, lambda x: x.ndim, lambda x: x.size, lambda x: x.dtype, len),
        *(np.shape, np.ndim, np.size, np.isnan, np.isfinite, np.argmax, np.zeros_like),
        *(lambda x: np.argsort(x, axis=1), lambda x: np.allclose(x, x), lambda x: x > 2),
        *(
            lambda x: x <= 3,
            lambda x: np.less(x, 2),
            lambda x: x.tolist(),
            lambda x: x[0, 1].item(),
        ),
    ],
)
def test_questions_get_numpys_answers(ask: Callable[[Any], Any]) -> None:
    answer, expected = ask(Variable(DATA)), ask(DATA)
    assert type(answer) is type(expected)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize(
    "f",
    [
        *(lambda x: x.T, lambda x: x.reshape(3, 2), lambda x: x.reshape((-1,)), lambda x: -x),
        *(lambda x: x.transpose(), lambda x: x.transpose(1, 0), lambda x: x.transpose((0, 1))),
        *(lambda x: x.sum(), lambda x: x.sum(1), lambda x: x.mean(axis=0), lambda x: x.prod()),
        *(lambda x: x.max(axis=1), lambda x: x.min(), lambda x: x.var(ddof=1), lambda x: x.std()),
        *(lambda x: x.ravel(), lambda x: x.flatten(), lambda x: x[:1].squeeze(), lambda x: abs(x)),
        *(lambda x: x.swapaxes(0, 1), lambda x: x.cumsum(axis=1), lambda x: x.clip(2, 4)),
        *(lambda x: x @ x.T, lambda x: np.ones(2) @ x, lambda x: x.dot(np.ones(3)), lambda x: x[1]),
        *(lambda x: x[:, ::-1], lambda x: x[x > 2], lambda x: x[[0, 0]], lambda x: x[..., None]),
        *(lambda x: x.astype(np.float32), lambda x: np.hypot(x, 1), lambda x: x.mean(0, True)),
    ],
)
def test_methods_give_numpys_values_and_keep_the_history(f: Callable[[Any], Any]) -> None:
    x = Variable(DATA)
    y, expected = f(x), f(DATA) if not _is_ours_only(f) else DATA.mean(0, keepdims=True)
    assert type(y) is Variable
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.data, expected, rtol=1e-15, strict=True)
    y.backward()
    assert x.grad.shape == x.shape


def _is_ours_only(f: Callable[[Any], Any]) -> bool:
    try:
        f(DATA)
    except TypeError:
        return True
    return False


def test_iteration_gives_rows_with_history() -> None:
    x = Variable(DATA)
    first, second = x
    (first * second).backward()
    np.testing.assert_array_equal(x.grad, DATA[::-1])
    assert [float(element) for element in first] == [1.0, 2.0, 3.0]


def test_one_number_reads_as_a_number() -> None:
    x = Variable(2.5)
    assert (float(x), int(x), x.item(), f"{x:.2f}", f"{x}") == (2.5, 2, 2.5, "2.50", repr(x))
    assert float(Variable([2.5])) == 2.5
    assert repr(exp(Variable(0.0)) + 1) == "Variable(2.0, made by add)"


def test_detach_shares_the_data_and_has_no_history() -> None:
    x = Variable(3.0, name="x")
    y = square(x)
    cut = y.detach()
    assert (cut.creator, cut.item(), y.creator is not None) == (None, 9.0, True)
    (y * cut).backward()
    assert (x.grad, cut.grad) == (54.0, 9.0)
    assert np.shares_memory(Variable(DATA).detach().data, DATA)


def test_unchain_backward_makes_leaves_of_what_lies_behind() -> None:
    x = Variable(2.0)
    a = square(x)
    b = exp(a)
    y = b * a
    freed = weakref.ref(a.creator)
    y.unchain_backward()
    assert (a.creator, b.creator, freed()) == (None, None, None)
    y.backward()
    assert (x.grad, a.grad) == (None, b.item())
    y.unchain()
    assert y.creator is None
    x.unchain_backward()


def test_unchain_backward_in_a_long_chain() -> None:
    x = y = Variable(0.5)
    for _ in range(100_000):
        y = tanh(y)
    y.unchain_backward()
    y.backward()
    assert x.grad is None


def test_no_history_inside_no_grad_for_functions_of_several_outputs() -> None:
    with no_grad():
        parts: Any = np.split(Variable(DATA), 3, axis=1)
    assert [part.creator for part in parts] == [None] * 3


@pytest.mark.parametrize("kept", range(3))
def test_dropped_parts_of_a_split_count_as_zero(kept: int) -> None:
    x = Variable(DATA)
    part: Any = np.split(x, 3, axis=1)[kept]
    part.backward()
    expected = np.zeros((2, 3))
    expected[:, kept] = 1
    np.testing.assert_array_equal(x.grad, expected)


def test_gradients_without_those_of_intermediates_are_the_same() -> None:
    x = Variable(DATA)
    y = (np.concatenate([x, x * x]) @ np.ones(3)).sum()
    y.backward()
    kept, x.grad = x.grad, None
    y.backward(retain_grad=False)
    np.testing.assert_array_equal(x.grad, kept)


def test_a_users_function_gets_arrays_also_for_numbers() -> None:
    seen: list[type] = []

    class Look(Function):
        def forward(self, x: Any) -> Any:
            seen.append(type(x))
            return np.tanh(x)

        def backward(self, gy: Any) -> Any:
            seen.append(type(gy))
            return gy * (1 - self.output.data**2)  # type: ignore[union-attr]

    x = Variable(0.5)
    (Look()(x * 2) * 3).backward()
    assert seen == [np.ndarray, np.ndarray]
    assert type(x.grad) is np.ndarray


def test_an_output_that_is_gone_leaves_its_value_but_no_history() -> None:
    x = Variable(0.5)
    f = tanh(x).creator
    assert f is not None
    assert f.output is None
    assert f.backward(np.array(1.0)) == 1 - np.tanh(0.5) ** 2
    with pytest.raises(BackwardError, match="the output of tanh is gone"):
        f.backward(Variable(1.0))


def test_a_function_in_a_chain_holds_at_most_400_bytes() -> None:
    length = 5_000
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = Variable(0.5)
        for _ in range(length):
            y = tanh(y)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert held / length <= 400
