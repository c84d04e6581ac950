"""What is said about a step: its product, what breaks it, where nan and infinity appear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Variable, add, backward_pass, exp, log, sqrt
from ipygrad.explain.numbers import described, exact, short

if TYPE_CHECKING:
    from collections.abc import Callable


class Times(Function):
    """Multiplies its one input with a factor that it was given."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, x: Any) -> Any:
        return x

    def backward(self, gy: Any) -> Any:
        return gy * self.factor


def every_note(y: Variable) -> list[tuple[str, ...]]:
    return [step.notes for step in backward_pass(y)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("f", [exp, sqrt, log, lambda x: 2 / (3 + x), lambda x: x**2.5])
def test_rounding_is_not_taken_for_a_broken_chain_rule(
    f: Callable[[Variable], Variable], dtype: Any
) -> None:
    for value in np.linspace(0.1, 5, 40):
        x = Variable(np.array(value, dtype))
        assert not any(every_note(3.3 * f(0.7 * x)))


@np.errstate(all="ignore")
def test_nan_made_of_an_infinite_gradient_is_noted() -> None:
    x = Variable(1.0, name="x")
    later, first = every_note(Times(np.inf)(Times(0.0)(x)))
    assert later == (
        "Here an infinite value appears for the first time, in the contribution to Times(x).",
    )
    assert first == ("Here nan appears for the first time, in the contribution to x.",)


@np.errstate(all="ignore")
def test_only_the_first_is_called_the_first() -> None:
    x, z = Variable(1.0, name="x"), Variable(1.0, name="z")
    notes = every_note(add(Times(np.nan)(x), Times(np.nan)(z)))
    assert [len(note) for note in notes] == [0, 1, 1]
    said = [note[0] for note in notes[1:]]
    assert ["for the first time" in note for note in said] == [True, False]
    assert all("nan appears" in note for note in said)


@np.errstate(all="ignore")
def test_what_arrives_is_not_noted_again() -> None:
    x = Variable(1.0)
    assert [len(note) for note in every_note(Times(2.0)(Times(1.0)(Times(np.nan)(x))))] == [0, 0, 1]
    assert [len(note) for note in every_note(Times(np.nan)(Times(1.0)(Times(2.0)(x))))] == [1, 0, 0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("text", "a str"),
        (3, "an int"),
        (np.ones(3), "an ndarray of shape (3,)"),
        (object(), "an object"),
    ],
)
def test_values_are_described(value: object, text: str) -> None:
    assert described(value) == text


@pytest.mark.parametrize("value", [-0.0, np.array(-0.0), np.array([0.0, -0.0])])
def test_there_is_no_negative_zero(value: Any) -> None:
    assert "-" not in short(value)
    assert "-" not in exact(value)


@pytest.mark.parametrize(("digits", "text"), [(1, "2e308"), (2, "1.8e308"), (4, "1.798e308")])
def test_the_largest_numbers_are_written_though_no_float_is_their_rounding(
    digits: int, text: str
) -> None:
    assert short(1.7976931348623157e308, digits) == text


def test_exact_keeps_the_precision_of_the_number() -> None:
    assert exact(np.array(0.1, np.float32)) == repr(float(np.float32(0.1)))
    assert exact(np.array([0.1, 0.2], np.float32)) == "[0.1, 0.2], shape (2,)"
    assert exact(3.297442541400256) == "3.297442541400256"
