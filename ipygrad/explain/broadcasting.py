"""Broadcasting on its way back: an input that was repeated gets the sum over the copies."""

from __future__ import annotations

import numpy as np


def is_repeated(y_shape: tuple[int, ...], *x_shapes: tuple[int, ...]) -> bool:
    """Tell whether inputs of such shapes, repeated where need be, fill `y_shape`."""
    try:
        return np.broadcast_shapes(y_shape, *x_shapes) == y_shape
    except ValueError:
        return False


def summed_axes(y_shape: tuple[int, ...], x_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of `y_shape` along which an input of `x_shape` was repeated to fill it."""
    added = len(y_shape) - len(x_shape)
    stretched = [added + i for i, n in enumerate(x_shape) if n == 1 and y_shape[added + i] != 1]
    return (*range(added), *stretched)
