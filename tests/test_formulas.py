"""Each function's formula is what its forward's differences say, and has a role in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ipygrad import Function, Variable, functions, numerical_jacobian
from ipygrad.engine.core import as_tuple
from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.explain.formula import Symbol
from ipygrad.explain.formulas import RULES, is_local, local_formula, role_of
from ipygrad.explain.words import Words
from tests.formulas import CASES, WITHOUT_ORACLE, inputs_of

ALL_CASES = {**CASES, **WITHOUT_ORACLE}
CLASSES = [
    cls for cls in vars(functions).values() if isinstance(cls, type) and issubclass(cls, Function)
]


def recorded(y: Any, name: str) -> list[Function]:
    """Return the functions behind `y` that are called `name`."""
    found: list[Function] = []
    waiting = list(y) if isinstance(y, (list, tuple)) else [y]
    while waiting:
        creator = waiting.pop().creator
        if creator is not None:
            found += [creator] * (creator.label == name)
            waiting += creator.inputs
    return found


def check_formulas(function: Function, seed: int) -> None:
    """Compare all formulas of a function, where it was called, with differences."""
    inputs = [x.data for x in function.inputs]
    outputs = as_tuple(function.forward(*inputs))
    names = [f"x{i}" for i in range(len(inputs))]
    made = [f"y{i}" for i in range(len(outputs))]
    rng = np.random.default_rng(seed)
    gys = [np.asarray(rng.normal(size=y.shape)) for y in outputs]
    arriving = ["gy"] if len(gys) == 1 else [f"gy{'₀₁₂₃'[i + 1]}" for i in range(len(gys))]
    values = dict(zip([*names, *made, *arriving], [*inputs, *outputs, *gys], strict=True))

    def weighted(*xs: Variable) -> Variable:
        ys = as_tuple(function.forward(*(x.data for x in xs)))
        return Variable(sum(np.sum(y * gy) for y, gy in zip(ys, gys, strict=True)))

    for argnum, x in enumerate(inputs):
        formula = local_formula(function, argnum, names, made, [*map(Symbol, arriving)])
        assert formula is not None
        assert formula.text
        assert formula.mathml
        value = np.asarray(formula.evaluate(values))
        if is_local(function):
            value = sum_to(np.asarray(gys[0] * value), x.shape)
        expected = numerical_jacobian(weighted, *inputs, argnum=argnum)
        np.testing.assert_allclose(value, expected, 1e-6, 1e-8)


@pytest.mark.parametrize("name", ALL_CASES)
@np.errstate(all="ignore")
def test_formulas_agree_with_differences(name: str) -> None:
    case = ALL_CASES[name]
    for seed in range(2):
        y = case.formula(functions, *map(Variable, inputs_of(case, seed)))
        called = recorded(y, name.partition(":")[0])
        assert called
        check_formulas(called[-1], seed)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_function_has_a_formula_and_a_role(cls: type[Function]) -> None:
    assert cls in RULES
    sentence = Words()(f"role_{RULES[cls].role}", function="f")
    assert sentence.endswith(".")


def test_what_only_backward_makes_has_formulas_too() -> None:
    x = Variable(np.arange(6.0).reshape(2, 3))
    summed = functions.SumTo((1, 3))(x)
    check_formulas(summed.creator, 0)
    put = functions.GetItemGrad((slice(None), 1), (2, 3))(Variable([1.0, 2.0]))
    check_formulas(put.creator, 1)


def test_a_class_of_the_users_has_no_formula_whatever_it_inherits() -> None:
    class Double(functions.Exp):
        pass

    y = Double()(Variable(1.0))
    assert local_formula(y.creator, 0, ["x"], ["y"], [Symbol("gy")]) is None
    assert role_of(y.creator) is None
