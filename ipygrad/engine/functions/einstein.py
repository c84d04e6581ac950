"""Sums of products by Einstein's convention, and their gradients by the same."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.engine.functions.indexing import scatter


class Einsum(Function):
    """Sum of products named by letters, ``"ij,jk->ik"``; gradients are such sums, too.

    A letter that stands twice in one operand takes its diagonal; one that is not in the result is
    summed; ``...`` stands for axes that broadcast.

    Parameters
    ----------
    subscripts
        As for `numpy.einsum`, as text.
    optimize
        Whether to look for a quicker order of the products; see `numpy.einsum`.
    """

    __slots__ = ("optimize", "subscripts")
    label = "einsum"

    def __init__(self, subscripts: str, optimize: Any = False) -> None:
        self.subscripts = subscripts
        self.optimize = optimize

    def forward(self, *xs: Array) -> Any:
        """Compute the sum."""
        return np.einsum(self.subscripts, *xs, optimize=self.optimize)

    def backward(self, gy: Gradient) -> Any:
        """Compute, for each operand, the sum of products of gy with the others."""
        operands = self.inputs_like(gy)
        terms, result = spelled_out(self.subscripts, [x.ndim for x in self.inputs])
        sizes: dict[str, int] = {}
        for term, x in zip(terms, self.inputs, strict=True):
            for letter, length in zip(term, x.shape, strict=True):
                sizes[letter] = max(length, sizes.get(letter, 1)) if length else 0
        gradients = []
        for k, x in enumerate(self.inputs):
            others = [*terms[:k], *terms[k + 1 :]]
            factors = [gy, *operands[:k], *operands[k + 1 :]]
            letters = "".join(dict.fromkeys(terms[k]))
            known = "".join(letter for letter in letters if letter in "".join([result, *others]))
            gradient = np.einsum(
                f"{','.join([result, *others])}->{known}", *factors, optimize=self.optimize
            )
            # A letter of this operand alone was summed: each of its elements counts the same.
            shape = [sizes[letter] if letter in known else 1 for letter in letters]
            full = [sizes[letter] for letter in letters]
            gradient = np.broadcast_to(np.reshape(gradient, shape), full)
            if len(letters) < len(terms[k]):
                grid = np.ogrid[tuple(slice(sizes[letter]) for letter in letters)]
                places = dict(zip(letters, grid, strict=True))
                gradient = scatter(gradient, tuple(places[c] for c in terms[k]), x.shape)
            gradients.append(sum_to(gradient, x.shape))
        return tuple(gradients)


def spelled_out(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, with ``...`` replaced by letters."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [letter for letter in ascii_letters if letter not in left]
    hidden = [
        ndim - len(term.replace("...", "")) if "..." in term else 0
        for term, ndim in zip(terms, ndims, strict=True)
    ]
    most = max(hidden)
    dots = "".join(free[:most])
    spelled = [
        term.replace("...", dots[most - count :]) for term, count in zip(terms, hidden, strict=True)
    ]
    if arrow:
        return spelled, right.replace("...", dots)
    once = sorted(c for c in set("".join(terms)) if c.isalpha() and left.count(c) == 1)
    return spelled, dots + "".join(once)


@implements(np.einsum)
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Variable:
    """Sum of products by Einstein's convention, such as ``einsum("ij,jk->ik", a, b)``.

    Raises
    ------
    TypeError
        When the subscripts are not one text.
    """
    if not isinstance(subscripts, str):
        raise TypeError("einsum takes its subscripts as one text here, such as 'ij,jk->ik'")
    return apply(Einsum(subscripts, optimize), *operands)
