"""One step's product: whether it holds, its sum over broadcast axes, its equation and sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ipygrad import Function, Variable, exp, functions, linear, matmul, maximum, square
from ipygrad.capture.backward import BareStep, run_backward
from ipygrad.capture.graph import Graph, capture_graph
from ipygrad.explain.broadcasting import summed_axes
from ipygrad.explain.products import equation, product_holds, product_of, summed_text
from ipygrad.explain.words import Words, describe_step

ONES = np.ones((4, 3))


def named(variable: Variable, name: str) -> Variable:
    variable.name = name
    return variable


def recorded(y: Variable) -> tuple[Graph, tuple[BareStep, ...]]:
    graph = capture_graph([y])
    return graph, run_backward(graph).steps


def equations(y: Variable, *slopes: Any, digits: int = 4) -> list[str | None]:
    """Return the first step's equations."""
    graph, steps = recorded(y)
    found = [equation(Words(digits=digits), graph, steps[0], i, s) for i, s in enumerate(slopes)]
    return [None if formula is None else formula.text for formula in found]


def sentence(y: Variable, *slopes: Any) -> str:
    graph, steps = recorded(y)
    return describe_step(Words(), graph, steps[0], len(steps), slopes).sentence


class Scaled(Function):
    """Of a user: no formula is known. Its backward is off by a factor."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def forward(self, x: Any) -> Any:
        return 3 * x

    def backward(self, gy: Any) -> Any:
        return 3 * self.factor * gy


@pytest.mark.parametrize(
    ("y_shape", "x_shape", "axes"),
    [
        ((4, 3), (3,), (0,)),
        ((4, 3), (4, 1), (1,)),
        ((2, 4, 3), (4, 1), (0, 2)),
        ((4, 3), (), (0, 1)),
        ((1, 3), (1, 3), ()),
        ((), (), ()),
    ],
)
def test_the_axes_along_which_an_input_was_repeated(
    y_shape: tuple[int, ...], x_shape: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    assert summed_axes(y_shape, x_shape) == axes


def test_a_step_as_an_equation() -> None:
    a = Variable(0.25, name="a")
    b = named(exp(a), "b")
    y = named(square(b), "y")
    graph, steps = recorded(y)
    found = equation(Words(), graph, steps[1], 0, 1.2840254166877414)
    assert found is not None
    assert found.text == "∂y/∂a = ∂y/∂b · exp(a) = 2.568 · 1.284 = 3.297"
    found = equation(Words(digits=6), graph, steps[1], 0, 1.2840254166877414)
    assert found is not None
    assert found.text.endswith("= 2.56805 · 1.28403 = 3.29744")


def test_a_variable_used_twice_gets_parts_of_its_gradient() -> None:
    x = Variable(0.5, name="x")
    y = named(x * x, "y")
    assert equations(y, 0.5, 0.5) == ["∂y/∂y · x = 1 · 0.5 = 0.5"] * 2


def test_small_numbers_are_written_with_a_power_of_ten() -> None:
    y = named(Variable(-1.2e-5, name="x") * Variable(2.0, name="k"), "y")
    graph, steps = recorded(y)
    found = equation(Words(), graph, steps[0], 1, -1.2e-5)
    assert found is not None
    assert found.text == "∂y/∂k = ∂y/∂y · x = 1 · (−1.2e-5) = −1.2e-5"
    assert ["msup", ["mn", "10"], ["mrow", ["mo", "−"], ["mn", "5"]]] in found.mathml[-1]


def test_a_users_function_is_told_by_its_numbers() -> None:
    y = named(Scaled()(Variable(0.5, name="x")), "y")
    assert equations(y, 3.0) == ["∂y/∂x = ∂y/∂y · ∂y/∂x = 1 · 3 = 3"]
    assert "Times the local derivative 3, it contributes 3 to x," in sentence(y, 3.0)
    y = named(Scaled()(Variable(ONES, name="x")), "y")
    assert equations(y, None) == [None]
    assert "Scaled.backward turns it into a contribution of shape (4, 3)" in sentence(y, None)


def test_where_backward_breaks_the_product_there_is_no_equation() -> None:
    y = named(Scaled(2.0)(Variable(0.5, name="x")), "y")
    assert equations(y, 3.0) == [None]
    assert "backward contributes 6 to x" in sentence(y, 3.0)


def test_constants_have_no_equation() -> None:
    y = named(2 * Variable(0.5, name="x"), "y")
    assert equations(y, None, 2.0) == [None, "∂y/∂x = ∂y/∂y · 2 = 1 · 2 = 2"]


def test_what_was_repeated_is_summed_as_a_part_of_its_own() -> None:
    x, c = Variable(ONES, name="x"), Variable([1.0, 2.0, 3.0], name="c")
    y = named(x * c, "y")
    slopes = (np.broadcast_to(c.data, (4, 3)), ONES)
    assert equations(y, *slopes) == [
        "∂y/∂x = ∂y/∂y · c = array (4, 3) · array (4, 3) = array (4, 3)",
        "∂y/∂c = sum(∂y/∂y · x, axis=0) = sum(array (4, 3) · array (4, 3), axis=0) = [4, 4, 4]",
    ]
    _, (step,) = recorded(y)
    assert [summed_text(Words(), step, i) for i in range(2)] == [
        "",
        "summed over axis 0: (4, 3) → (3,)",
    ]
    said = sentence(y, *slopes)
    assert "x = array (4, 3), element by element, and summed over axis 0: (4, 3) → (3,)," in said


def test_several_summed_axes_are_listed() -> None:
    y = Variable(np.ones((2, 4, 3))) + Variable(np.ones((4, 1)))
    _, (step,) = recorded(y)
    assert summed_text(Words(), step, 1) == "summed over axes 0 and 2: (2, 4, 3) → (4, 1)"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_sum_that_cancels_is_no_broken_product(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2)).astype(dtype)
    y = Variable(x - x.mean(axis=0)) * Variable(np.ones(2, dtype))
    _, (step,) = recorded(y)
    slope = y.creator.inputs[0].data if y.creator else None
    assert product_holds(step, 1, np.asarray(slope))
    assert not product_holds(step, 1, 2 * np.asarray(slope) + 1)


def test_a_contribution_that_was_not_summed_does_not_hold() -> None:
    step = BareStep(1, 0, (ONES,), (np.ones((4, 3, 1)),), (None,), (None,))
    assert not product_holds(step, 0, ONES)
    assert product_of(step, 0, 2 * ONES).tolist() == (2 * ONES).tolist()


def test_a_matrix_product_says_why_this_transpose() -> None:
    x, w = Variable(np.ones((64, 100)), name="x"), Variable(np.ones((100, 10)), name="W")
    y = named(matmul(x, w), "y")
    assert equations(y, None, None) == [
        "∂y/∂x = ∂y/∂y @ Wᵀ = array (64, 100)",
        "∂y/∂W = xᵀ @ ∂y/∂y = array (100, 10)",
    ]
    said = sentence(y, None, None)
    assert "(64, 10) @ (10, 100) → (64, 100), the only order in which the shapes fit," in said
    square_one = matmul(Variable(np.eye(3)), Variable(np.eye(3)))
    assert "only order" not in sentence(square_one, None, None)


def test_the_bias_of_a_layer_has_no_transpose() -> None:
    y = linear(Variable(np.ones((4, 3))), Variable(np.ones((3, 2))), Variable(np.ones(2), name="b"))
    said = sentence(named(y, "y"), None, None, None)
    assert "So sum(∂y/∂y, axis=0), of shape (2,), is the contribution to b," in said


def test_sentences_say_what_the_function_does_to_gradients() -> None:
    a, b = Variable(1.0, name="a"), Variable(2.0, name="b")
    assert "maximum routes: " in sentence(maximum(a, b), 0.0, 1.0)
    assert "add copies: " in sentence(a + b, 1.0, 1.0)
    assert "sum spreads: " in sentence(functions.sum(Variable(ONES)), None)
    assert "Times the local derivative [a > b] = 0," in sentence(maximum(a, b), 0.0, 1.0)


def test_of_a_tie_each_gets_half() -> None:
    a, b = Variable(2.0, name="a"), Variable(2.0, name="b")
    assert equations(named(maximum(a, b), "y"), 0.5, 0.5)[0] == (
        "∂y/∂a = ∂y/∂y · ([a > b] + [a = b]/2) = 1 · 0.5 = 0.5"
    )


def test_a_formula_that_is_too_long_gives_way_to_its_number() -> None:
    y = named(functions.gelu(Variable(0.5, name="x")), "y")
    _, (step,) = recorded(y)
    assert step.contributions[0] is not None
    slope = float(step.contributions[0])
    assert equations(y, slope) == ["∂y/∂x = ∂y/∂y · ∂y/∂x = 1 · 0.8674 = 0.8674"]
    assert "Times the local derivative 0.8674," in sentence(y, slope)
