"""What a Jacobian is: "identity", "permutation", "blocks" and so on.

=============== ================================================================================
zero            all 0
identity        each output is the input of the same number
permutation     the inputs in another order
ones            every output gets every input once
constant        all the same number, such as 1/n for an average
selection       each output is one of the inputs, or none
diagonal        each output depends on the input of the same number alone
triangular      only on inputs before, or only on those after
blocks          outputs fall into groups that depend on different inputs
=============== ================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.engine.core import Array

STRUCTURES = (
    *("zero", "identity", "permutation", "ones", "constant", "selection"),
    *("diagonal", "triangular", "blocks"),
)


def structure_of(matrix: Array) -> str | None:
    """Name what a matrix is, the most special first; None for nothing special.

    Parameters
    ----------
    matrix
        All cells, shape (rows, columns).
    """
    rows, columns = matrix.shape
    if matrix.size < 2 or not np.isfinite(matrix).all():
        return None
    filled = matrix != 0
    is_square = rows == columns
    if not filled.any():
        return "zero"
    if (matrix[filled] == 1).all() and (filled.sum(axis=1) <= 1).all() and columns > 1:
        if is_square and filled.any(axis=0).all():
            return "identity" if filled.trace() == rows else "permutation"
        return "selection"
    if (matrix == matrix.flat[0]).all():
        return "ones" if matrix.flat[0] == 1 else "constant"
    if is_square and not (filled & ~np.eye(rows, dtype=bool)).any():
        return "diagonal"
    if _groups(filled) > 1:
        return "blocks"
    if is_square and not (np.triu(filled, 1).any() and np.tril(filled, -1).any()):
        return "triangular"
    return None


def _groups(filled: Array) -> int:
    """Count the groups of rows and columns that no cell ties together."""
    rows = filled.any(axis=1)
    count = 0
    while rows.any():
        count += 1
        own = np.zeros_like(rows)
        own[np.argmax(rows)] = True
        grown = True
        while grown:
            wider = np.asarray(filled[:, filled[own].any(axis=0)].any(axis=1))
            grown = bool((wider != own).any())
            own = wider
        rows &= ~own
    return count


def structure_of_rows(found: Mapping[int, Array], total: Array, weights: Array) -> str | None:
    """Name what a large matrix is, of which only a few rows are known.

    Parameters
    ----------
    found
        Some rows by their number, each of shape (columns,).
    total
        The sum of all rows times their weights, shape (columns,).
    weights
        Positive random numbers, one a row: what is true of their sum by chance is true of the rows.
    """
    rows, columns = weights.size, total.size
    known = np.array(list(found.values()))
    if not (np.isfinite(known).all() and np.isfinite(total).all()):
        return None
    filled = known != 0
    if not total.any() and not filled.any():
        return "zero"
    is_square = rows == columns
    at_most_one = (np.count_nonzero(filled, axis=1) <= 1).all()
    if at_most_one and (known[filled] == 1).all() and columns > 1:
        if is_square and np.array_equal(total, weights):
            return "identity"
        return "permutation" if is_square and _same_elements(total, weights) else "selection"
    if (known == known.flat[0]).all() and np.allclose(total, known.flat[0] * weights.sum()):
        return "ones" if known.flat[0] == 1 else "constant"
    own = all(row[number] != 0 for number, row in found.items()) if is_square else False
    if own and at_most_one:
        return "diagonal"
    if is_square and columns > 1:
        numbers = np.array(list(found))[:, None]
        beyond = np.arange(columns) > numbers
        if not (filled & beyond).any() or not (filled & (np.arange(columns) < numbers)).any():
            return "triangular"
    overlap = filled.astype(np.int64) @ filled.T.astype(np.int64)
    apart = (overlap == 0) | (overlap == np.diag(overlap))
    if apart.all() and (overlap == 0).any() and 2 * filled.sum(axis=1).max() <= columns:
        return "blocks"
    return None


def _same_elements(a: Array, b: Array) -> bool:
    return np.array_equal(np.sort(a), np.sort(b))
