"""Contributions of the functions that reduce or couple elements along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import functions
from ipygrad.engine.functions.reduction import kept_shape
from ipygrad.explain.formulas.rule import (
    Rules,
    Site,
    axis_text,
    contribution,
    exp,
    named,
    where,
)
from ipygrad.explain.terms import Call, Reshaped

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.explain.formula import Formula


def broadcast(formula: Formula, shape: tuple[int, ...]) -> Formula:
    """Return a formula repeated to fill `shape`."""
    return Call("broadcast", lambda value: np.broadcast_to(value, shape), (formula,), str(shape))


def _kept(at: Site, formula: Formula) -> Formula:
    """Return what has the shape of the output with the reduced axes put back, as backward does."""
    return Reshaped(formula, kept_shape(at.shape, at.function.axis))


def _count(at: Site) -> int:
    kept = kept_shape(at.shape, at.function.axis)
    return int(np.prod(at.shape)) // max(int(np.prod(kept)), 1)


def _gy(at: Site) -> Formula:
    return _kept(at, at.gy)


def _y(at: Site) -> Formula:
    return _kept(at, at.y)


def _along(at: Site, name: str, formula: Formula) -> Formula:
    """Return numpy's sum or mean along the function's axis, which is kept."""
    axis, reduce = at.function.axis, getattr(np, name)
    return Call(
        name, lambda value: reduce(value, axis=axis, keepdims=True), (formula,), axis_text(axis)
    )


def _extreme(at: Site) -> Formula:
    is_it = where(at.x, "=", _y(at))
    y = np.reshape(at.function.outputs[0].data, kept_shape(at.shape, at.function.axis))
    has_ties = np.count_nonzero(at.value() == y) > y.size
    return _gy(at) * is_it / _along(at, "sum", is_it) if has_ties else _gy(at) * is_it


def _product(at: Site) -> Formula:
    if np.all(at.value()):
        return _gy(at) * (_y(at) / at.x)
    axis = at.function.axis
    return _gy(at) * named("product_of_others", lambda x: _product_of_others(x, axis))(at.x)


def _product_of_others(x: Array, axis: Any) -> Array:
    others = np.empty_like(x)
    for place in np.ndindex(x.shape):
        one = x.copy()
        one[place] = 1
        others[place] = np.broadcast_to(np.prod(one, axis=axis, keepdims=True), x.shape)[place]
    return others


def _deviation(at: Site) -> Formula:
    return at.x - _along(at, "mean", at.x)


def _degrees(at: Site) -> float:
    return _count(at) - float(at.function.ddof)


def _running(at: Site) -> Formula:
    axis = at.function.axis
    text = axis_text(axis)
    flip = named("flip", lambda value: np.flip(value, 0 if axis is None else axis))
    total = named("cumsum", lambda value: np.cumsum(value, axis))
    backwards = flip(total(flip(at.gy, options=text), options=text), options=text)
    return Reshaped(backwards, at.shape)


def _one_hot(at: Site) -> Formula:
    labels, classes = at.function.labels, at.shape[1]
    return Call("one_hot", lambda: 1.0 * (np.arange(classes) == labels[:, None]), (), "labels")


def _softmax(x: Formula) -> Formula:
    def shares(value: Array) -> Any:
        powers = np.exp(value - np.max(value, axis=1, keepdims=True))
        return powers / np.sum(powers, axis=1, keepdims=True)

    return Call("softmax", shares, (x,))


def _difference(at: Site) -> Formula:
    return 2 * at.gy * (at.a - at.b) / max(at.value().size, 1)


REDUCTIONS: Rules = {
    functions.Sum: contribution("sum", lambda at: broadcast(_gy(at), at.shape)),
    functions.SumTo: contribution("sum", lambda at: broadcast(at.gy, at.shape)),
    functions.Mean: contribution("mean", lambda at: broadcast(_gy(at) / _count(at), at.shape)),
    functions.Prod: contribution("prod", _product),
    functions.Max: contribution("largest", _extreme),
    functions.Min: contribution("smallest", _extreme),
    functions.Var: contribution("spread", lambda at: 2 * _gy(at) * _deviation(at) / _degrees(at)),
    functions.Std: contribution(
        "spread", lambda at: _gy(at) * _deviation(at) / (_degrees(at) * _y(at))
    ),
    functions.LogSumExp: contribution("shares", lambda at: _gy(at) * exp(at.x - _y(at))),
    functions.Norm: contribution("norm", lambda at: _gy(at) * (at.x / _y(at))),
    functions.Cumsum: contribution("cumsum", _running),
    functions.Softmax: contribution(
        "softmax", lambda at: at.y * (at.gy - _along(at, "sum", at.gy * at.y))
    ),
    functions.LogSoftmax: contribution(
        "softmax", lambda at: at.gy - exp(at.y) * _along(at, "sum", at.gy)
    ),
    functions.MeanSquaredError: contribution("compare", _difference, lambda at: -_difference(at)),
    functions.SoftmaxCrossEntropy: contribution(
        "cross_entropy",
        lambda at: at.gy * (_softmax(at.x) - _one_hot(at)) / at.shape[0],
    ),
}
