"""Formulas as text, MathML and mathtext: parentheses, names of all kinds, numbers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from ipygrad.explain.formula import Formula, Power, Product, Symbol, as_formula
from ipygrad.explain.terms import Call, Derivative, Indicator, Inverse, Root, equal

if TYPE_CHECKING:
    from collections.abc import Callable

x, y, W = Symbol("x"), Symbol("y"), Symbol("W")
NAMES = (
    *("h₁", "loss", "x_1", "(x*x)₂", "d['y']", "exp(a)", "x + 1", "variable", "값", "Δ", "–"),
    *(
        "a<b>",
        "$x$",
        "\\frac{",
        "a\\",
        "}{",
        "100%",
        "a_b^c",
        "'",
        "#&~",
        "linear(…)",
        "a$b",
        "",
        " ",
    ),
)


def exp(argument: Formula) -> Formula:
    return Call("exp", np.exp, (argument,))


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (2 * Symbol("b"), "2·b"),
        (1 / (2 * Root(x)), "1/(2·√x)"),
        (-Call("sin", np.sin, (x,)), "−sin(x)"),
        (y * Call("ln", np.log, (x,)), "y·ln(x)"),
        (Symbol("gy") @ W.T, "gy @ Wᵀ"),
        (-(y.T @ W @ y.T), "−yᵀ @ W @ yᵀ"),
        (x - (y - 1), "x − (y − 1)"),
        (x - -y, "x + y"),
        (x * -y, "x·(−y)"),
        (-x * y, "−x·y"),
        ((-x) ** 2, "(−x)²"),
        (-(x**2), "−x²"),
        (x ** (y - 1), "x^(y − 1)"),
        (x**-0.5, "x^(−0.5)"),
        ((x / y) / W, "(x/y)/W"),
        (x / (y * W), "x/(y·W)"),
        (x * (y / W), "x·(y/W)"),
        (Inverse(x).T, "(x⁻¹)ᵀ"),
        (Root(x + 1), "√(x + 1)"),
        (2 * Symbol("x + 1"), "2·(x + 1)"),
        (2 * Symbol("exp(a)") ** 2, "2·exp(a)²"),
        (exp(Symbol("x + 1")), "exp(x + 1)"),
        (Symbol("-3") * x, "−3·x"),
        (x + Symbol("-3"), "x − 3"),
        (Derivative(y, Symbol("x + 1")), "∂y/∂(x + 1)"),
        (Indicator((x, as_formula(0)), (">",)), "[x > 0]"),
        (Product((Derivative(y, x), 2 * x), " · "), "∂y/∂x · 2·x"),
        (equal(x, Symbol("1.2e-5")), "x = 1.2e-5"),
    ],
)
def test_plain_text(formula: Formula, text: str) -> None:
    assert formula.text == text


def test_mathml_is_a_tree_of_lists() -> None:
    formula = equal(Derivative(y, Symbol("h₁")), 1 / Root(x), Symbol("-1.2e-5"))
    assert formula.mathml == [
        "mrow",
        [
            "mfrac",
            ["mrow", ["mo", "∂"], ["mi", "y"]],
            ["mrow", ["mo", "∂"], ["msub", ["mi", "h"], ["mn", "1"]]],
        ],
        ["mo", "="],
        ["mfrac", ["mn", "1"], ["msqrt", ["mi", "x"]]],
        ["mo", "="],
        [
            "mrow",
            ["mo", "−"],
            ["mn", "1.2"],
            ["mo", "·"],
            ["msup", ["mn", "10"], ["mrow", ["mo", "−"], ["mn", "5"]]],
        ],
    ]
    assert json.loads(json.dumps(formula.mathml)) == formula.mathml


def test_a_power_of_a_power_of_ten_is_enclosed() -> None:
    assert Power(Symbol("1.2e-5"), as_formula(2)).mathml[1][:2] == ["mrow", ["mo", "("]]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_everywhere(name: str) -> None:
    formula = equal(Derivative(Symbol(name), x), 2 * Symbol(name) ** 2)
    assert name in formula.text
    parsed = MathTextParser("path").parse(formula.mathtext)  # raises for what it cannot read
    assert parsed.width > 0
    letters = [part for part in _leaves(formula.mathml) if part not in "∂x=2·()"]
    assert "".join(letters).count(re.sub("[₀-₉]", "", name)) == 2 or not name.strip("x ")


def _leaves(tree: Any) -> list[str]:
    return (
        [tree] if isinstance(tree, str) else [leaf for part in tree[1:] for leaf in _leaves(part)]
    )


def _operations(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    binary: list[Callable[[Any, Any], Formula]] = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: Product((a, b), " · "),
        lambda a, b: a ** as_formula(2) - b ** as_formula(3),
    ]
    unary: list[Callable[[Any], Formula]] = [lambda a: -a, lambda a: exp(a), lambda a: Root(a**2)]
    return st.one_of(
        st.builds(lambda f, a, b: f(a, b), st.sampled_from(binary), inner, inner),
        st.builds(lambda f, a: f(a), st.sampled_from(unary), inner),
    )


FORMULAS = st.recursive(
    st.sampled_from([x, y, as_formula(2), as_formula(-0.5), Symbol("x + y")]), _operations
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(FORMULAS)
@np.errstate(all="ignore")
def test_the_text_means_what_the_tree_does(formula: Formula) -> None:
    values = {"x": np.float64(0.7), "y": np.float64(1.3), "x + y": np.float64(2.0)}
    source = formula.text.replace(" · ", "·").translate(str.maketrans("·−", "*-"))
    source = source.replace("²", "**2").replace("³", "**3").replace("√", "sqrt")
    found = eval(source, {"exp": np.exp, "sqrt": np.sqrt, **values})  # noqa: S307 - our own text
    np.testing.assert_allclose(found, formula.evaluate(values), 1e-9)
