"""Jacobians: by one backward call for each output element, and the structure of large ones.

A row of a Jacobian is what backward makes of a cotangent that is 1 at one output element and 0 at
all others (see Griewank and Walther, "Evaluating Derivatives", section 3.2).
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.engine import functions
from ipygrad.explain.structure import structure_of, structure_of_rows

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.explain.calls import Call

MOST_CELLS = 64 * 64
MOST_SECONDS = 1.0
"""What all rows may take, judged by the first one."""
PROBED_ROWS, PROBING_SECONDS = 8, 0.02


def jacobian_of(recorded: Call, argnum: int) -> tuple[Array | None, str | None]:
    """Return the Jacobian by one input, and what it is: see `ipygrad.explain.structure`.

    Parameters
    ----------
    recorded
        The call; the outputs' elements, one after the other, are the rows.
    argnum
        Which input, counted from 0; its elements are the columns.

    Returns
    -------
    jacobian : ndarray or None
        Of shape ``(*y.shape, *x.shape)``; for several outputs ``(rows, *x.shape)``. None with more
        than 4096 cells, when backward fails, and when it would take longer than about a second.
    structure : str or None
        None for nothing special or unknown.
    """
    shapes = [y.shape for y in recorded.outputs]
    x_shape = recorded.inputs[argnum].shape
    rows = sum(y.size for y in recorded.outputs)
    columns = recorded.inputs[argnum].size
    if rows * columns > MOST_CELLS:
        return None, _known(recorded, argnum) or _probed(recorded, argnum, rows)
    matrix = np.zeros((rows, columns))
    with suppress(Exception):
        for row in range(rows):
            start = perf_counter()
            matrix[row] = recorded.contribution(argnum, unit_cotangents(recorded, row)).ravel()
            if row == 0 and (perf_counter() - start) * rows > MOST_SECONDS:
                return None, None
        y_shape = shapes[0] if len(shapes) == 1 else (rows,)
        return matrix.reshape((*y_shape, *x_shape)), structure_of(matrix)
    return None, None


def unit_cotangents(recorded: Call, row: int) -> list[Array]:
    """Return cotangents that are 1 at the element `row` of all outputs' elements, else 0."""
    cotangents = []
    for y in recorded.outputs:
        cotangent = np.zeros_like(y.data)
        if 0 <= row < cotangent.size:
            cotangent.flat[row] = 1
        row -= cotangent.size
        cotangents.append(cotangent)
    return cotangents


def _known(recorded: Call, argnum: int) -> str | None:
    """Name the structure for functions of which it is known, and of which a probe costs much."""
    if not isinstance(recorded.function, functions.MatMul | functions.Linear):
        return None
    shape = recorded.inputs[argnum].shape
    # Each row of the left factor goes into a row of the product alone, each column of the right
    # factor into a column.
    if argnum == 0:
        apart = shape[:-1]
    elif len(shape) == 1:
        apart = ()
    else:
        apart = (*shape[:-2], shape[-1])
    return "blocks" if int(np.prod(apart)) > 1 else None


def _probed(recorded: Call, argnum: int, rows: int) -> str | None:
    """Find the structure of a large Jacobian from a few rows and a weighted sum of all of them."""
    rng = np.random.default_rng(0)
    end = perf_counter() + PROBING_SECONDS
    with suppress(Exception):
        weights = [np.asarray(rng.uniform(1, 2, y.shape)) for y in recorded.outputs]
        total = recorded.contribution(argnum, weights).ravel()
        chosen = np.unique(np.linspace(0, rows - 1, PROBED_ROWS).astype(int)).tolist()
        found: dict[int, Array] = {}
        for row in chosen:
            if found and perf_counter() > end:
                break
            found[row] = recorded.contribution(argnum, unit_cotangents(recorded, row)).ravel()
        return structure_of_rows(found, total, np.concatenate([w.ravel() for w in weights]))
    return None
