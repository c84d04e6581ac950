"""Kinks, jumps and poles are found and told apart; flat parts are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Variable
from ipygrad import functions as F  # noqa: N812
from ipygrad.explain.local import local_derivative_of

if TYPE_CHECKING:
    from collections.abc import Callable


def marks(f: Callable[..., Any], *values: Any) -> list[tuple[str, float]]:
    with np.errstate(all="ignore"):
        function = f(*map(Variable, values)).creator
    local = local_derivative_of(function, 0, x_name="x", y_name="y", label="f")
    return [(mark.kind, mark.where) for mark in local.marks]


@pytest.mark.parametrize(
    ("f", "values", "expected"),
    [
        (F.relu, (1.0,), [("kink", 0.0)]),
        (F.relu, (0.0,), [("kink", 0.0)]),
        (F.abs, (0.3,), [("kink", 0.0)]),
        (F.abs, (0.0,), [("kink", 0.0)]),
        (F.maximum, (2.0, 1.5), [("kink", 1.5)]),
        (lambda x: F.clip(x, -0.7, 0.9), (0.1,), [("kink", -0.7), ("kink", 0.9)]),
        (F.sign, (0.5,), [("jump", 0.0)]),
        (F.floor, (0.5,), [("jump", 0.0), ("jump", 1.0)]),
        (F.log, (0.5,), [("pole", 0.0)]),
        (F.log, (1e-3,), [("pole", 0.0)]),
        (F.reciprocal, (0.1,), [("pole", 0.0)]),
        (F.reciprocal, (-3.0,), [("pole", 0.0)]),
        (F.arctanh, (0.5,), [("pole", -1.0), ("pole", 1.0)]),
        (F.tan, (1.57,), [("pole", np.pi / 2)]),
        (F.relu, ([-1.0, 0.5, 2.0],), [("kink", 0.0)]),
        (F.reciprocal, ([-1.0, 0.5, 2.0],), [("pole", 0.0)]),
    ],
)
def test_found_and_told_apart(
    f: Callable[..., Any], values: tuple[Any, ...], expected: list[tuple[str, float]]
) -> None:
    found = [mark for mark in marks(f, *values) if mark[0] != "flat"]
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    np.testing.assert_allclose([x for _, x in found], [x for _, x in expected], atol=1e-9)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        *((F.exp, x) for x in (-20.0, 0.0, 50.0)),
        *((f, x) for f in (F.square, F.sin, F.tanh, F.softplus, F.gelu) for x in (-1.0, 0.0, 0.7)),
        *((F.sqrt, x) for x in (0.0, 0.1, 4.0)),
        (lambda x: x**3, 0.0),
        (lambda x: 0 * x, 1.0),
    ],
)
def test_smooth_functions_have_none(f: Callable[..., Any], x: float) -> None:
    assert marks(f, x) == []


@pytest.mark.parametrize("x", [-1000.0, -20.0, 8.0, 50.0])
def test_saturation(x: float) -> None:
    sigmoid = F.sigmoid(Variable(x)).creator
    assert sigmoid is not None
    local = local_derivative_of(sigmoid, 0, x_name="x", y_name="y", label="sigmoid")
    (flat,) = local.marks
    assert (flat.kind, flat.where) == ("flat", x)
    assert flat.ratio == pytest.approx(4 * float(local.slope or 0.0), abs=0.02 * flat.ratio)


def test_a_dead_unit_is_flat_and_its_kink_is_seen() -> None:
    assert marks(F.relu, -5.0) == [("kink", 0.0), ("flat", -5.0)]
