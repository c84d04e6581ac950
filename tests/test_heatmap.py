"""Jacobians as heat maps; points and densities of large arrays."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Variable
from ipygrad import functions as F  # noqa: N812
from ipygrad.explain.local import LocalDerivative, local_derivative_of
from ipygrad.show.figures import svg_of
from ipygrad.show.plot import StepPainter, draw_step, plot_local_derivative

if TYPE_CHECKING:
    from collections.abc import Callable


def found(y: Any, argnum: int = 0, x_name: str = "x") -> LocalDerivative:
    function = y.creator
    return local_derivative_of(function, argnum, x_name=x_name, y_name="y", label=function.label)


def normal(*shape: int) -> Variable:
    return Variable(np.random.default_rng(0).normal(size=shape))


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_numbers_indices_and_colours() -> None:
    local = found(Variable([[1.0, -2.5]]) @ normal(2, 3), 1, "W")
    axes = plot_local_derivative(local)
    (image,) = axes.images
    assert local.jacobian is not None
    np.testing.assert_array_equal(image.get_array(), local.jacobian.reshape(3, 6))
    assert image.get_clim() == (-2.5, 2.5)
    assert texts(axes)[:4] == ["1", "0", "0", "−2.5"]
    assert axes.get_xticklabels()[0].get_text() == "0, 0"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0, 0", "0, 1", "0, 2"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("columns: W", "∂y/∂W, rows: y")
    (bar,) = axes.child_axes
    assert [label.get_text() for label in bar.get_yticklabels()] == ["−2.5", "0", "2.5"]


@pytest.mark.parametrize(("side", "numbered"), [(8, True), (9, False), (64, False)])
def test_numbers_while_they_fit(side: int, numbered: bool) -> None:
    axes = plot_local_derivative(found(F.softmax(normal(side))))
    assert bool(texts(axes)) == numbered


def test_a_large_one_is_a_sketch_named_as_what_it_is() -> None:
    figure = draw_step([found(F.transpose(normal(100, 50)))])
    assert figure.texts[0].get_text() == "5,000 × 5,000: a permutation of the inputs"
    assert figure.axes[0].images[0].get_size() == (12, 12)
    assert not figure.axes[0].get_xticks().size


def test_formula_and_an_input_without_a_picture() -> None:
    product = normal(2, 3) @ normal(3, 2)
    figure = draw_step([found(product), None], formulas=["$g_y B^T$", None])
    assert figure.texts[1].get_text() == "$g_y B^T$"
    assert "no curve" in texts(figure.axes[1])


def test_no_jacobian() -> None:
    class Broken(Function):
        def forward(self, x: Any) -> Any:
            return x.sum()

        def backward(self, _gy: Any) -> Any:
            raise ZeroDivisionError

    assert texts(plot_local_derivative(found(Broken()(normal(3))))) == [
        "backward gives no Jacobian"
    ]
    empty = found(F.sum(Variable(np.empty(0))))
    assert texts(plot_local_derivative(empty)) == ["no elements"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_cells_that_are_not_finite_are_masked(value: float) -> None:
    local = found(Variable([[1.0, value]]) @ normal(2, 1), 1)
    (image,) = plot_local_derivative(local).images
    assert np.ma.getmaskarray(np.ma.asarray(image.get_array())).tolist() == [[False, True]]


@pytest.mark.parametrize("size", [120, 121, 2000, 2001, 50_000])
def test_many_elements_are_an_image_and_then_a_density(size: int) -> None:
    axes = plot_local_derivative(found(F.tanh(normal(size))))
    (image,) = axes.images
    (dots,) = (line for line in axes.lines if line.get_gid() == "dots")
    assert image.get_visible() == (size > 120)
    assert len(np.asarray(dots.get_xdata())) == (0 if size > 120 else size)
    levels: Any = np.ma.masked_invalid(np.ma.asarray(image.get_array())).compressed()
    # Points are all alike; a density has shades.
    shades = len(set(levels.tolist()))
    assert shades > 2 if size > 2000 else shades == (size > 120)


def test_draws_into_the_users_axes() -> None:
    figure = draw_step([None])
    mine = figure.add_axes((0.3, 0.3, 0.3, 0.3))
    assert plot_local_derivative(found(F.sum(normal(3))), ax=mine) is mine
    assert mine.get_position().bounds == pytest.approx((0.3, 0.3, 0.3, 0.3))


MAKES: dict[str, Callable[[], Any]] = {
    "softmax": lambda: F.softmax(normal(64)),
    "wide": lambda: F.mean(normal(4096)),
    "numbers": lambda: F.softmax(normal(8)),
    "sketch": lambda: F.sum(normal(100_000)),
    "points": lambda: F.exp(normal(120)),
    "many points": lambda: F.exp(normal(2000)),
    "density": lambda: F.exp(normal(20_000)),
    "two inputs": lambda: normal(40, 20) * normal(20),
    "points of two inputs": lambda: normal(6, 20) * normal(20),
}


@pytest.mark.parametrize("name", MAKES)
def test_svg_is_small_and_the_same_on_a_reused_figure(name: str) -> None:
    y = MAKES[name]()
    locals_ = [found(y, argnum) for argnum in range(len(y.creator.inputs))]
    painter = StepPainter()
    for other in (F.sum(normal(3)), F.exp(normal(5)), F.exp(normal(999))):
        painter.svg([found(other)] * len(locals_))
    svg = painter.svg(locals_)
    assert svg == svg_of(draw_step(locals_))
    assert len(gzip.compress(svg.encode())) < 2_500 + 3_000 * len(locals_)
