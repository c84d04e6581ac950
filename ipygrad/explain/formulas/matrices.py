"""Contributions of matrix products and of other linear algebra."""

from __future__ import annotations

from string import ascii_letters
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import functions
from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.engine.functions.einstein import spelled_out
from ipygrad.explain.formula import Symbol
from ipygrad.explain.formulas.rule import Rules, Site, contribution, named, summed
from ipygrad.explain.terms import Call, Inverse, Option, Reshaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.engine.core import Array
    from ipygrad.explain.formula import Formula

_outer = named("outer", np.outer)


def _matmul(at: Site) -> Formula:
    """Gy @ bᵀ and aᵀ @ gy; vectors are a row on the left and a column on the right."""
    a, b = at.value(0), at.value(1)
    if a.ndim == b.ndim == 1:
        return at.gy * at.inputs[1 - at.argnum]
    if b.ndim == 1 and a.ndim == 2 and at.argnum == 0:
        return _outer(at.gy, at.b)
    if a.ndim == 1 and b.ndim == 2 and at.argnum == 1:
        return _outer(at.a, at.gy)
    rows = a.shape if a.ndim > 1 else (1, *a.shape)
    columns = b.shape if b.ndim > 1 else (*b.shape, 1)
    many = np.broadcast_shapes(rows[:-2], columns[:-2])
    gy = Reshaped(at.gy, (*many, rows[-2], columns[-1]))
    if at.argnum == 0:
        product, shape = gy @ Reshaped(at.b, columns).T, rows
    else:
        product, shape = Reshaped(at.a, rows).T @ gy, columns
    return Reshaped(summed(product, (*many, *shape[-2:]), shape), at.shape)


def _linear(at: Site) -> Formula:
    if at.argnum == 0:
        return at.gy @ at.b.T
    y_shape = at.y_shape
    if at.argnum == 2:
        return summed(at.gy, y_shape, at.shape)
    samples = Reshaped(at.a, (-1, at.shape[0]))
    return samples.T @ Reshaped(at.gy, (-1, at.shape[1]))


def _einsum_text(at: Site) -> tuple[list[str], str]:
    return spelled_out(at.function.subscripts, [x.data.ndim for x in at.function.inputs])


def _einsum(at: Site) -> Formula:
    return _sum_of_products(at, *_einsum_text(at))


def _tensordot(at: Site) -> Formula:
    a, b = at.value(0), at.value(1)
    if not a.ndim or not b.ndim:
        y_shape = at.y_shape
        return summed(at.gy * at.inputs[1 - at.argnum], y_shape, at.shape)
    if a.ndim <= 2 and b.ndim <= 2 and type(at.function) is functions.Dot:
        return _matmul(at)
    of_a = list(ascii_letters[: a.ndim])
    of_b = list(ascii_letters[a.ndim : a.ndim + b.ndim])
    pairs = list(zip(*at.function.pairs(a.ndim, b.ndim), strict=True))
    for i, j in pairs:
        of_b[j] = of_a[i]
    left = [c for i, c in enumerate(of_a) if i not in [pair[0] for pair in pairs]]
    right = [c for j, c in enumerate(of_b) if j not in [pair[1] for pair in pairs]]
    return _sum_of_products(at, ["".join(of_a), "".join(of_b)], "".join(left + right))


def _sum_of_products(at: Site, terms: Sequence[str], result: str) -> Formula:
    """Return the contribution of a sum of products: again one, of gy with the other operands.

    A letter that stands twice in the operand gets the identity, since only the diagonal counts; a
    letter that stands nowhere else gets ones, since each element counts the same.
    """
    own = terms[at.argnum]
    if not result and len(terms) == 2 and terms[0] == terms[1] and len(set(own)) == len(own):
        return at.gy * at.inputs[1 - at.argnum]
    others = [
        (term, x)
        for i, (term, x) in enumerate(zip(terms, at.inputs, strict=True))
        if i != at.argnum
    ]
    factors = [(result, at.gy), *others]
    known = set("".join(term for term, _ in factors))
    free = [letter for letter in ascii_letters if letter not in "".join([result, *terms])]
    letters = ""
    for letter, length in zip(own, at.shape, strict=True):
        place = letter
        if letter in letters:
            place = free.pop()
            factors.append((letter + place, _identity(length)))
        elif letter not in known:
            factors.append((letter, Symbol("1", np.ones(length))))
        letters += place
    subscripts = f"{','.join(term for term, _ in factors)}->{letters}"
    shape = at.shape

    def total(*values: Any) -> Array:
        return np.asarray(sum_to(np.einsum(*values), shape))

    operands = (factor for _, factor in factors)
    return Call("einsum", total, (Option(repr(subscripts), subscripts), *operands))


def _identity(length: int) -> Formula:
    return Call("eye", lambda: np.eye(length), (), str(length))


def _outer_product(at: Site) -> Formula:
    a, b = (Reshaped(x, (-1,)) for x in at.inputs)
    return Reshaped(at.gy @ b if at.argnum == 0 else at.gy.T @ a, at.shape)


def _inverse(at: Site) -> Formula:
    return -(at.y.T @ at.gy @ at.y.T)


def _determinant(at: Site) -> Formula:
    ones = (*at.shape[:-2], 1, 1)
    return Reshaped(at.gy, ones) * Reshaped(at.y, ones) * Inverse(at.x).T


def _solved(at: Site) -> Formula:
    """(aᵀ)⁻¹ @ gy, and its product with yᵀ for the matrix."""
    y_shape = at.y_shape
    column = (*y_shape, 1) if at.value(1).ndim == 1 else y_shape
    back = Inverse(at.a.T) @ Reshaped(at.gy, column)
    if at.argnum == 1:
        return summed(Reshaped(back, y_shape), y_shape, at.shape)
    many = (*y_shape[: len(column) - 2], *at.shape[-2:])
    return summed(-(back @ Reshaped(at.y, column).T), many, at.shape)


MATRICES: Rules = {
    functions.MatMul: contribution("matmul", _matmul),
    functions.Linear: contribution("linear", _linear),
    functions.Dot: contribution("contract", _tensordot),
    functions.Inner: contribution("contract", _tensordot),
    functions.Tensordot: contribution("contract", _tensordot),
    functions.Einsum: contribution("contract", _einsum),
    functions.Outer: contribution("contract", _outer_product),
    functions.Inv: contribution("inv", _inverse),
    functions.Det: contribution("det", _determinant),
    functions.Solve: contribution("solve", _solved),
}
