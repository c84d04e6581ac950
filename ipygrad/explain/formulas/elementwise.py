"""Local derivatives of the functions that work element by element."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import functions
from ipygrad.engine.functions.activation import CUBIC, ROOT
from ipygrad.explain.formula import Symbol, as_formula
from ipygrad.explain.formulas.rule import (
    Rules,
    Site,
    cos,
    cosh,
    exp,
    ln,
    local,
    named,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
    where,
)
from ipygrad.explain.terms import Indicator

if TYPE_CHECKING:
    from ipygrad.explain.formula import Formula

ZERO, ONE, TWO = as_formula(0), as_formula(1), as_formula(2)


def _constant(value: float) -> Any:
    return lambda _: as_formula(value)


def _by_base(at: Site) -> Formula:
    exponent = at.value(1)
    if exponent.ndim or at.b.level < at.b.LEVEL or not _is_number(at.b):
        return at.b * at.a ** (at.b - 1)
    lowered = float(exponent) - 1
    return at.b if lowered == 0 else at.b * (at.a if lowered == 1 else at.a**lowered)


def _is_number(formula: Formula) -> bool:
    try:
        return isinstance(formula, Symbol) and math.isfinite(float(formula.name))
    except ValueError:
        return False


def _larger(relation: str) -> Any:
    """Return what makes the share of an input that is the larger, or smaller, of two."""

    def share(at: Site) -> Formula:
        other = 1 - at.argnum
        chosen = where(at.x, relation, at.inputs[other])
        if not np.any(at.value() == at.value(other)):
            return chosen
        return chosen + where(at.x, "=", at.inputs[other]) / 2

    return share


def _chosen(at: Site) -> Formula:
    return Symbol("[condition]", 1.0 * at.function.condition)


def _inside(at: Site) -> Formula:
    low, high = (_limit(name, getattr(at.function, name)) for name in ("low", "high"))
    if low is None:
        return ONE if high is None else where(at.x, "≤", high)
    if high is None:
        return where(at.x, "≥", low)
    return Indicator((low, at.x, high), ("≤", "≤"))


def _limit(name: str, value: Any) -> Formula | None:
    if value is None:
        return None
    return as_formula(float(value)) if np.ndim(value) == 0 else Symbol(name, np.asarray(value))


def _steep(at: Site) -> Formula:
    x = at.x
    t = tanh(ROOT * (x + CUBIC * x**3))
    return (1 + t) / 2 + ROOT / 2 * x * (1 - t**2) * (1 + 3 * CUBIC * x**2)


def _leaking(at: Site) -> Formula:
    below = where(at.x, "≤", ZERO)
    factor = at.function.alpha
    return where(at.x, ">", ZERO) + (exp(at.x) if factor == 1 else factor * exp(at.x)) * below


_sigmoid = named("sigmoid", lambda x: 1 / (1 + np.exp(-x)))


_flat = local("flat", _constant(0))
_power = local("power", _by_base, lambda at: at.a**at.b * ln(at.a))

ELEMENTWISE: Rules = {
    functions.Add: local("add", _constant(1), _constant(1)),
    functions.Sub: local("subtract", _constant(1), _constant(-1)),
    functions.Mul: local("multiply", lambda at: at.b, lambda at: at.a),
    functions.Div: local("divide", lambda at: 1 / at.b, lambda at: -(at.a / at.b**2)),
    functions.Pow: _power,
    functions.FloatPower: _power,
    functions.Neg: local("negate", _constant(-1)),
    functions.Square: local("slope", lambda at: 2 * at.x),
    functions.Sqrt: local("slope", lambda at: 1 / (2 * sqrt(at.x))),
    functions.Cbrt: local("slope", lambda at: 1 / (3 * at.y**2)),
    functions.Reciprocal: local("slope", lambda at: -(1 / at.x**2)),
    functions.Exp: local("slope", lambda at: exp(at.x)),
    functions.Exp2: local("slope", lambda at: TWO**at.x * ln(TWO)),
    functions.Expm1: local("slope", lambda at: exp(at.x)),
    functions.Log: local("slope", lambda at: 1 / at.x),
    functions.Log2: local("slope", lambda at: 1 / (at.x * ln(TWO))),
    functions.Log10: local("slope", lambda at: 1 / (at.x * ln(as_formula(10)))),
    functions.Log1p: local("slope", lambda at: 1 / (1 + at.x)),
    functions.Sin: local("slope", lambda at: cos(at.x)),
    functions.Cos: local("slope", lambda at: -sin(at.x)),
    functions.Tan: local("slope", lambda at: 1 + at.y**2),
    functions.Arcsin: local("slope", lambda at: 1 / sqrt(1 - at.x**2)),
    functions.Arccos: local("slope", lambda at: -(1 / sqrt(1 - at.x**2))),
    functions.Arctan: local("slope", lambda at: 1 / (1 + at.x**2)),
    functions.Sinh: local("slope", lambda at: cosh(at.x)),
    functions.Cosh: local("slope", lambda at: sinh(at.x)),
    functions.Tanh: local("slope", lambda at: 1 - at.y**2),
    functions.Arcsinh: local("slope", lambda at: 1 / sqrt(at.x**2 + 1)),
    functions.Arccosh: local("slope", lambda at: 1 / sqrt(at.x**2 - 1)),
    functions.Arctanh: local("slope", lambda at: 1 / (1 - at.x**2)),
    functions.Sigmoid: local("slope", lambda at: at.y * (1 - at.y)),
    functions.ReLU: local("gate", lambda at: where(at.x, ">", ZERO)),
    functions.LeakyReLU: local(
        "leak",
        lambda at: where(at.x, ">", ZERO) + at.function.slope * where(at.x, "≤", ZERO),
    ),
    functions.ELU: local("leak", _leaking),
    functions.Softplus: local("slope", lambda at: 1 / (1 + exp(-at.x))),
    functions.SiLU: local("slope", lambda at: _sigmoid(at.x) * (1 + at.x * (1 - _sigmoid(at.x)))),
    functions.GELU: local("slope", _steep),
    functions.Abs: local("sign", lambda at: sign(at.x)),
    functions.Sign: _flat,
    functions.Floor: _flat,
    functions.Ceil: _flat,
    functions.Rint: _flat,
    functions.Clip: local("clip", _inside),
    functions.Maximum: local("larger", _larger(">"), _larger(">")),
    functions.Minimum: local("smaller", _larger("<"), _larger("<")),
    functions.Where: local("choose", _chosen, lambda at: 1 - _chosen(at)),
    functions.Arctan2: local(
        "slopes",
        lambda at: at.b / (at.a**2 + at.b**2),
        lambda at: -(at.a / (at.a**2 + at.b**2)),
    ),
    functions.Hypot: local("slopes", lambda at: at.a / at.y, lambda at: at.b / at.y),
    functions.LogAddExp: local("shares", lambda at: exp(at.a - at.y), lambda at: exp(at.b - at.y)),
    functions.Dropout: local("mask", lambda at: Symbol("mask", at.function.mask)),
}
