"""Products of vectors, matrices and stacks of them; inverse, determinant, linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Constant, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.broadcasting import sum_to


class MatMul(Function):
    """Matrix product, y = a @ b; contributions gy @ bᵀ and aᵀ @ gy.

    All of numpy's cases: a vector on the left is a row, on the right a column; of more than two
    axes the last two are matrices, and the others broadcast.
    """

    __slots__ = ()
    label = "matmul"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a @ b."""
        return np.matmul(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy @ bᵀ and aᵀ @ gy, not for constants."""
        a, b = self.inputs_like(gy)
        is_constant = [type(x) is Constant for x in self.inputs]
        if a.ndim == b.ndim == 2:
            ga = None if is_constant[0] else gy @ b.T
            gb = None if is_constant[1] else a.T @ gy
            return ga, gb
        rows = np.reshape(a, (1, *a.shape)) if a.ndim == 1 else a
        columns = np.reshape(b, (*b.shape, 1)) if b.ndim == 1 else b
        if a.ndim == 1:
            gy = np.expand_dims(gy, gy.ndim if b.ndim == 1 else gy.ndim - 1)
        if b.ndim == 1:
            gy = np.expand_dims(gy, gy.ndim)
        ga = gb = None
        if not is_constant[0]:
            ga = sum_to(gy @ np.swapaxes(columns, -1, -2), rows.shape)
            ga = np.reshape(ga, a.shape)
        if not is_constant[1]:
            gb = sum_to(np.swapaxes(rows, -1, -2) @ gy, columns.shape)
            gb = np.reshape(gb, b.shape)
        return ga, gb


class Tensordot(Function):
    """Sum of products over pairs of axes; contributions are such sums of gy with the other input.

    Parameters
    ----------
    axes
        As for `numpy.tensordot`: how many (the last ones of a, the first ones of b), or which of a
        and which of b.
    """

    __slots__ = ("axes",)
    label = "tensordot"

    def __init__(self, axes: Any = 2) -> None:
        self.axes = axes

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the sums."""
        return np.tensordot(a, b, self.axes)

    def pairs(self, a_ndim: int, b_ndim: int) -> tuple[list[int], list[int]]:
        """Return the axes of a and those of b that are summed, pair by pair."""
        if not np.iterable(self.axes):
            return list(range(a_ndim - self.axes, a_ndim)), list(range(self.axes))
        of_a, of_b = (np.atleast_1d(axes).tolist() for axes in self.axes)
        return [i % a_ndim for i in of_a], [i % b_ndim for i in of_b]

    def backward(self, gy: Gradient) -> Any:
        """Sum gy with each input over the axes that are the other's alone."""
        a, b = self.inputs_like(gy)
        if not a.ndim or not b.ndim:  # numpy's dot takes numbers, too
            return sum_to(gy * b, a.shape), sum_to(gy * a, b.shape)
        of_a, of_b = self.pairs(a.ndim, b.ndim)
        free_a = [i for i in range(a.ndim) if i not in of_a]
        free_b = [i for i in range(b.ndim) if i not in of_b]
        n = len(free_a)
        ga = np.tensordot(gy, b, (list(range(n, gy.ndim)), free_b))
        gb = np.tensordot(gy, a, (list(range(n)), free_a))
        return _ordered(ga, free_a, of_a, of_b), _ordered(gb, free_b, of_b, of_a)


def _ordered(gradient: Any, free: list[int], own: list[int], others: list[int]) -> Any:
    """Put axes back in order: first the free ones, then the summed ones as the other has them."""
    summed = [own[i] for i in np.argsort(others)]
    return np.transpose(gradient, np.argsort([*free, *summed]).tolist())


class Dot(Tensordot):
    """Sum of products over the last axis of a and the second to last of b, as `numpy.dot`."""

    __slots__ = ()
    label = "dot"

    def __init__(self) -> None:
        super().__init__()

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the sums."""
        return np.dot(a, b)

    def pairs(self, a_ndim: int, b_ndim: int) -> tuple[list[int], list[int]]:
        """Return the axes that are summed."""
        return [a_ndim - 1], [max(b_ndim - 2, 0)]


class Inner(Tensordot):
    """Sum of products over the last axes of both, as `numpy.inner`."""

    __slots__ = ()
    label = "inner"

    def __init__(self) -> None:
        super().__init__()

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the sums."""
        return np.inner(a, b)

    def pairs(self, a_ndim: int, b_ndim: int) -> tuple[list[int], list[int]]:
        """Return the axes that are summed."""
        return [a_ndim - 1], [b_ndim - 1]


class Outer(Function):
    """The class behind `outer`."""

    __slots__ = ()
    label = "outer"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the products."""
        return np.outer(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy @ b and gyᵀ @ a."""
        a, b = self.inputs_like(gy)
        ga, gb = gy @ np.reshape(b, (-1,)), np.transpose(gy) @ np.reshape(a, (-1,))
        return np.reshape(ga, a.shape), np.reshape(gb, b.shape)


class Inv(Function):
    """Inverse matrices, y = x⁻¹; contribution -yᵀ @ gy @ yᵀ."""

    __slots__ = ()
    label = "inv"

    def forward(self, x: Array) -> Any:
        """Compute the inverse."""
        return np.linalg.inv(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute -yᵀ @ gy @ yᵀ."""
        turned = np.swapaxes(self.output_like(gy), -1, -2)
        return -(turned @ gy @ turned)


class Det(Function):
    """Determinants; local derivative the cofactors, y · (x⁻¹)ᵀ where x is not singular.

    Singular matrices have cofactors, too: they come from the singular values (Stewart 1998, "On the
    adjugate matrix") or, with ``create_graph``, from the determinants of what is left without a row
    and a column, which takes n⁴ numbers for n rows.
    """

    __slots__ = ()
    label = "det"

    def forward(self, x: Array) -> Any:
        """Compute the determinant."""
        return np.linalg.det(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · cofactors."""
        x = self.input_like(gy)
        try:
            inverse = np.swapaxes(np.linalg.inv(x), -1, -2)
        except np.linalg.LinAlgError:
            cofactors = _by_minors(x) if isinstance(x, Variable) else _by_singular_values(x)
            return np.reshape(gy, (*gy.shape, 1, 1)) * cofactors
        return np.reshape(gy * self.output_like(gy), (*gy.shape, 1, 1)) * inverse


def _by_singular_values(x: Array) -> Any:
    left, values, right = np.linalg.svd(x)
    without = np.where(np.eye(x.shape[-1], dtype=bool), 1, values[..., None, :])
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
    return sign[..., None, None] * ((left * without.prod(axis=-1)[..., None, :]) @ right)


def _by_minors(x: Variable) -> Any:
    numbers = np.arange(x.shape[-1])
    others = np.stack([np.delete(numbers, i) for i in numbers])
    minors = x[..., others[:, None, :, None], others[None, :, None, :]]
    signs = (-1) ** np.add.outer(numbers, numbers)
    return np.linalg.det(minors) * signs.astype(np.int8)


class Solve(Function):
    """Solution y of the linear equations a @ y = b; contributions -gb @ yᵀ and gb = (aᵀ)⁻¹ @ gy.

    As in numpy, b is a vector only when it has one axis; otherwise its last two are a matrix.
    """

    __slots__ = ()
    label = "solve"

    def forward(self, a: Array, b: Array) -> Any:
        """Solve."""
        return np.linalg.solve(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Solve the transposed equations for gy."""
        a, b = self.inputs_like(gy)
        y = self.output_like(gy)
        if b.ndim == 1:
            y, gy = np.expand_dims(y, -1), np.expand_dims(gy, -1)
        gb = np.linalg.solve(np.swapaxes(a, -1, -2), gy)
        ga = -(gb @ np.swapaxes(y, -1, -2))
        if b.ndim == 1:
            gb = np.squeeze(gb, -1)
        return sum_to(ga, a.shape), sum_to(gb, b.shape)


@implements(np.matmul)
def matmul(a: Any, b: Any) -> Variable:
    """Matrix product, y = a @ b, of vectors, matrices and stacks of matrices."""
    return apply(MatMul(), a, b)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Variable:
    """Sum of the products of a and b over pairs of axes; see `numpy.tensordot`."""
    return apply(Tensordot(axes), a, b)


@implements(np.dot)
def dot(a: Any, b: Any) -> Variable:
    """Sum of products over the last axis of a and the second to last of b; see `numpy.dot`."""
    return apply(Dot(), a, b)


@implements(np.inner)
def inner(a: Any, b: Any) -> Variable:
    """Sum of products over the last axes of a and b; see `numpy.inner`."""
    return apply(Inner(), a, b)


@implements(np.outer)
def outer(a: Any, b: Any) -> Variable:
    """Products of all elements of a with all of b, one row for each of a."""
    return apply(Outer(), a, b)


@implements(np.linalg.inv)
def inv(x: Any) -> Variable:
    """Inverse of a matrix, or of each in a stack."""
    return apply(Inv(), x)


@implements(np.linalg.det)
def det(x: Any) -> Variable:
    """Return the determinant of a matrix, or of each in a stack."""
    return apply(Det(), x)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Variable:
    """Solution y of the linear equations a @ y = b."""
    return apply(Solve(), a, b)
