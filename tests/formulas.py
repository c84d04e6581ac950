"""One formula or more for every exported function, and the same functions made of autograd's.

A formula takes a namespace of functions, ours or `ORACLE`, and its inputs. It may do more than call
the function, so that first and second derivatives are not trivial.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import autograd.numpy as anp
import numpy as np

from ipygrad import functions

if TYPE_CHECKING:
    from collections.abc import Callable

    Formula = Callable[..., Any]
    Shape = tuple[int, ...]


class Case(NamedTuple):
    """A formula, the shapes of its inputs, and the range that their elements are drawn from."""

    formula: Formula
    shapes: tuple[Shape, ...]
    low: float = -2.0
    high: float = 2.0


def _along(x: Any, axis: int | None, keepdims: bool) -> Any:
    largest = anp.max(x, axis=axis, keepdims=True)
    y = anp.log(anp.sum(anp.exp(x - largest), axis=axis, keepdims=True)) + largest
    return y if keepdims else anp.squeeze(y, axis)


def _oracle() -> SimpleNamespace:
    names = {name: getattr(anp, name) for name in functions.__all__ if hasattr(anp, name)}
    m = SimpleNamespace(**names)
    m.inv, m.det, m.solve = anp.linalg.inv, anp.linalg.det, anp.linalg.solve
    m.norm = lambda x, axis=None, keepdims=False: anp.sqrt(anp.sum(x * x, axis, keepdims=keepdims))
    m.broadcast_to = lambda x, shape: x + np.zeros(shape)
    m.cbrt = lambda x: anp.sign(x) * anp.abs(x) ** (1 / 3)
    m.hypot = lambda a, b: anp.sqrt(a * a + b * b)
    m.float_power = anp.power
    m.rint = lambda x: anp.floor(x + 0.5)
    m.clip = lambda x, low, high: anp.minimum(anp.maximum(x, low), high)
    m.where = lambda condition, a, b: anp.where(condition, a + 0 * b, b + 0 * a)
    for name in ("diagonal", "flip", "repeat", "roll", "tile", "transpose"):
        setattr(m, name, _by_index(getattr(np, name)))
    m.getitem = lambda x, index: x[index]
    m.astype = lambda x, _dtype: x
    m.take_along_axis = lambda x, indices, axis: x[_grid(x.shape, indices, axis)]
    m.sigmoid = lambda x: 1 / (1 + anp.exp(-x))
    m.relu = lambda x: anp.where(x > 0, x, 0.0)
    m.leaky_relu = lambda x, slope=0.01: anp.where(x > 0, x, slope * x)
    m.elu = lambda x, alpha=1.0: anp.where(x > 0, x, alpha * (anp.exp(x) - 1))
    m.softplus = lambda x: anp.log(1 + anp.exp(x))
    m.silu = lambda x: x / (1 + anp.exp(-x))
    m.gelu = lambda x: x / (1 + anp.exp(-2 * anp.sqrt(2 / anp.pi) * (x + 0.044715 * x**3)))
    m.logsumexp = lambda x, axis=None, keepdims=False: _along(x, axis, keepdims)
    m.softmax = lambda x, axis=-1: anp.exp(x - _along(x, axis, True))
    m.log_softmax = lambda x, axis=-1: x - _along(x, axis, True)
    m.linear = lambda x, W, b=0.0: anp.matmul(x, W) + b  # noqa: N803 - as in print
    m.mean_squared_error = lambda a, b: anp.mean((a - b) ** 2)
    m.softmax_cross_entropy = lambda x, labels: (
        -anp.mean(m.log_softmax(x, 1)[np.arange(len(labels)), labels])
    )
    m.dropout = lambda x, ratio, rng: (
        x * ((np.random.default_rng(rng).random(x.shape) >= ratio) / (1 - ratio))
    )
    return m


def _by_index(rearrange: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that only rearranges, as indexing of the elements in a row."""
    return lambda x, *options, **named: anp.ravel(x)[
        rearrange(np.arange(np.size(x)).reshape(np.shape(x)), *options, **named)
    ]


def _grid(shape: Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    grid: list[Any] = list(np.ogrid[tuple(slice(length) for length in shape)])
    grid[axis] = indices
    return tuple(grid)


ORACLE = _oracle()

INDICES: dict[str, Any] = {
    "an integer": 1,
    "a negative integer": -1,
    "a slice": slice(0, 2),
    "every second, backward": slice(None, None, -2),
    "a column": (slice(None), 1),
    "a new axis": (None, ..., 0),
    "repeated rows": [0, 2, 0, 0],
    "pairs": (np.array([0, 0, 2]), np.array([1, 1, 3])),
    "a grid of both": (np.array([[0], [2]]), np.array([1, 1])),
    "a mask": np.arange(12).reshape(3, 4) % 3 == 1,
    "a row and a mask": (1, np.array([True, False, True, True])),
    "an element": (2, 3),
}
LABELS = np.array([2, 0, 1, 1])
ZEROS = np.array([0, 0, 2], np.int8)
ORDER = np.array([[2, 0, 1], [1, 1, 0]])
# Of a type so narrow that float16 stays float16 beside it.
SHIFT = 4 * np.eye(3, dtype=np.int8)
A = (2, 3)

# Keys begin with the name of the function; what follows a colon tells the cases apart.
CASES: dict[str, Case] = {
    **{
        name: Case(lambda m, x, name=name: getattr(m, name)(x) * x, (A,))
        for name in (
            *("negative", "square", "exp", "exp2", "expm1", "sin", "cos", "arctan", "sinh", "cosh"),
            *("tanh", "arcsinh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "gelu"),
            *("silu", "abs", "sign", "floor", "ceil", "rint"),
        )
    },
    **{
        name: Case(lambda m, x, name=name: getattr(m, name)(x), (A,), 0.2, 3.0)
        for name in ("sqrt", "cbrt", "reciprocal", "log", "log2", "log10", "log1p")
    },
    **{
        name: Case(lambda m, x, name=name: getattr(m, name)(x), (A,), -0.8, 0.8)
        for name in ("tan", "arcsin", "arccos", "arctanh")
    },
    "arccosh": Case(lambda m, x: m.arccosh(x), (A,), 1.2, 3.0),
    "clip": Case(lambda m, x: m.clip(x, -0.7, 0.9) * x, (A,)),
    "clip:by arrays": Case(
        lambda m, x: m.clip(x, np.array([-0.5, 0, -9], np.float16), 1.1) * x, (A,)
    ),
    "elu:alpha": Case(lambda m, x: m.elu(x, 0.3) * x, (A,)),
    "leaky_relu:slope": Case(lambda m, x: m.leaky_relu(x, 0.3) * x, (A,)),
    **{
        f"{name}:{a} and {b}": Case(
            lambda m, x, z, name=name: getattr(m, name)(x, z) * x, (a, b), 0.3, 2.0
        )
        for name in (
            *("add", "subtract", "multiply", "divide", "power", "float_power", "maximum"),
            *("minimum", "arctan2", "hypot", "logaddexp"),
        )
        for a, b in [((), ()), ((3,), (2, 1)), ((2, 3), (3,)), ((1, 3), (2, 1))]
    },
    "where": Case(lambda m, a, b: m.where(np.array([True, False, True]), a, b) * a, (A, (3,))),
    "where:by value": Case(lambda m, a: m.where(a > 0, a * a, m.sin(a)), (A,)),
    "broadcast_to": Case(lambda m, x: m.broadcast_to(x, (4, 2, 3)) ** 2, ((2, 1),)),
    **{
        f"{name}:{axis}, {keepdims}": Case(
            lambda m, x, name=name, axis=axis, keepdims=keepdims: m.square(
                getattr(m, name)(x, axis=axis, keepdims=keepdims)
            ),
            ((2, 3, 2),),
        )
        for name in ("sum", "mean", "prod", "max", "min", "var", "std", "norm")
        for axis, keepdims in [(None, False), (1, True), (-1, False), ((0, -1), False)]
    },
    **{
        f"logsumexp:{axis}": Case(lambda m, x, axis=axis: m.logsumexp(x, axis), (A,))
        for axis in (None, 0, -1, (0, -1))
    },
    "logsumexp:kept": Case(lambda m, x: m.logsumexp(x, 1, True) * x, (A,)),
    "var:ddof": Case(lambda m, x: m.var(x, axis=1, ddof=1), (A,)),
    "std:ddof": Case(lambda m, x: m.std(x, axis=1, ddof=1), (A,)),
    **{
        f"cumsum:{axis}": Case(lambda m, x, axis=axis: m.cumsum(x, axis) ** 2, (A,))
        for axis in (None, 0, -1)
    },
    "reshape": Case(lambda m, x: m.reshape(x, (3, -1)) ** 2, (A,)),
    "ravel": Case(lambda m, x: m.ravel(x) ** 2, (A,)),
    "squeeze": Case(lambda m, x: m.squeeze(x) ** 2, ((2, 1, 3, 1),)),
    "squeeze:axis": Case(lambda m, x: m.squeeze(x, -1) ** 2, ((2, 1, 3, 1),)),
    "expand_dims": Case(lambda m, x: m.expand_dims(x, -1) * x, ((3,),)),
    "transpose": Case(lambda m, x: m.transpose(x) ** 2, ((2, 3, 4),)),
    "transpose:axes": Case(lambda m, x: m.transpose(x, (1, -1, 0)) ** 2, ((2, 3, 4),)),
    "swapaxes": Case(lambda m, x: m.swapaxes(x, 0, -1) ** 2, ((2, 3, 4),)),
    "moveaxis": Case(lambda m, x: m.moveaxis(x, 0, -1) ** 2, ((2, 3, 4),)),
    "flip": Case(lambda m, x: m.flip(x, 1) * x, (A,)),
    "flip:all": Case(lambda m, x: m.flip(x, None) * x, (A,)),
    "roll": Case(lambda m, x: m.roll(x, 1) * x, (A,)),
    "roll:axes": Case(lambda m, x: m.roll(x, (1, 2), (0, 1)) * x, (A,)),
    "astype": Case(lambda m, x: m.astype(x, float) ** 2, (A,)),
    "concatenate": Case(lambda m, a, b: m.concatenate([a, b, a]) ** 2, (A, (1, 3))),
    "concatenate:axis": Case(lambda m, a, b: m.concatenate([a, b], axis=-1) ** 2, (A, (2, 1))),
    "stack": Case(lambda m, a, b: m.stack([a, b, a]) ** 2, (A, A)),
    "stack:axis": Case(lambda m, a, b: m.stack([a, b], axis=-1) ** 2, (A, A)),
    "split": Case(lambda m, x: m.split(x, 3, 1)[0] * m.split(x, [1], 1)[0], (A,)),
    "split:positions": Case(lambda m, x: m.sum(m.split(x, [1, 3], -1)[1] ** 3), ((2, 4),)),
    "repeat": Case(lambda m, x: m.repeat(x, 2) ** 2, (A,)),
    "repeat:each": Case(lambda m, x: m.repeat(x, [1, 0, 2], axis=1) ** 2, (A,)),
    "tile": Case(lambda m, x: m.tile(x, 2) ** 2, (A,)),
    "tile:more axes": Case(lambda m, x: m.tile(x, (2, 1, 2)) ** 2, (A,)),
    "tile:fewer axes": Case(lambda m, x: m.tile(x, (3,)) ** 2, (A,)),
    "pad": Case(lambda m, x: (m.pad(x, ((1, 0), (2, 1)), "constant") + 1) ** 2, (A,)),
    "diagonal": Case(lambda m, x: m.diagonal(x) ** 2, ((3, 3),)),
    "diagonal:stack": Case(lambda m, x: m.diagonal(x, 1, -1, 0) ** 2, ((3, 2, 4),)),
    "trace": Case(lambda m, x: m.trace(x) ** 2, ((3, 3),)),
    "trace:offset": Case(lambda m, x: m.trace(x, 1) ** 2, ((3, 4),)),
    "take_along_axis": Case(lambda m, x: m.take_along_axis(x, ORDER, 1) ** 2, (A,)),
    **{
        f"getitem:{name}": Case(lambda m, x, index=index: m.getitem(x, index) ** 2, ((3, 4),))
        for name, index in INDICES.items()
    },
    **{
        f"matmul:{a} and {b}": Case(lambda m, x, z: m.matmul(x, z) ** 2, (a, b))
        for a, b in [
            *(((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3)), ((2, 3), (3, 2))),
            *(((4, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((4, 1, 2, 3), (5, 3, 2))),
            *(((3,), (4, 3, 2)), ((4, 2, 3), (3,))),
        ]
    },
    **{
        f"dot:{a} and {b}": Case(lambda m, x, z: m.dot(x, z) ** 2, (a, b))
        for a, b in [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((2, 3), (4, 3, 2))]
    },
    "inner": Case(lambda m, a, b: m.inner(a, b) ** 2, (A, (4, 3))),
    "inner:vectors": Case(lambda m, a, b: m.inner(a, b) ** 2, ((3,), (3,))),
    "outer": Case(lambda m, a, b: m.outer(a, b) ** 2, ((2,), (3,))),
    "tensordot": Case(lambda m, a, b: m.tensordot(a, b) ** 2, ((4, 2, 3), (2, 3, 2))),
    "tensordot:axes": Case(
        lambda m, a, b: m.tensordot(a, b, ([2, 0], [1, 2])) ** 2, ((4, 2, 3), (2, 3, 4))
    ),
    "tensordot:none": Case(lambda m, a, b: m.tensordot(a, b, 0) ** 2, ((2,), (2,))),
    **{
        f"einsum:{text}": Case(lambda m, *xs, text=text: m.einsum(text, *xs) ** 2, shapes)
        for text, shapes in {
            "ij,jk->ik": (A, (3, 2)),
            "ij,jk": (A, (3, 2)),
            "i,j,k->kij": ((2,), (3,), (2,)),
            "...ij,...j->...i": ((4, 2, 3), (4, 3)),
            "ij->ji": (A,),
        }.items()
    },
    "inv": Case(lambda m, x: m.inv(m.add(x, SHIFT)), ((2, 3, 3),)),
    "det": Case(lambda m, x: m.det(m.add(x, SHIFT)), ((3, 3),)),
    "solve": Case(lambda m, a, b: m.solve(m.add(a, SHIFT), b), ((3, 3), (3, 2))),
    "solve:vector": Case(lambda m, a, b: m.solve(m.add(a, SHIFT), b), ((3, 3), (3,))),
    "softmax": Case(lambda m, x: m.softmax(x), (A,)),
    "softmax:axis": Case(lambda m, x: m.softmax(x, axis=0), (A,)),
    "log_softmax": Case(lambda m, x: m.log_softmax(x), (A,)),
    "linear": Case(lambda m, x, W, b: m.linear(x, W, b) ** 2, (A, (3, 4), (4,))),  # noqa: N803
    "linear:no bias": Case(lambda m, x, W: m.linear(x, W) ** 2, ((4, 2, 3), (3, 2))),  # noqa: N803
    "mean_squared_error": Case(lambda m, a, b: m.mean_squared_error(a, b), (A, A)),
    "softmax_cross_entropy": Case(lambda m, x: m.softmax_cross_entropy(x, LABELS), ((4, 3),)),
    "dropout": Case(lambda m, x: m.dropout(x, 0.4, 1) ** 2, ((4, 3),)),
}

# What autograd cannot do twice, or at all; these have finite differences as their witness.
WITHOUT_ORACLE: dict[str, Case] = {
    "einsum:ii->i": Case(lambda m, x: m.einsum("ii->i", x) ** 2, ((3, 3),)),
    "einsum:iij,j->i": Case(lambda m, x, z: m.einsum("iij,j->i", x, z) ** 2, ((3, 3, 2), (2,))),
    "einsum:ij->": Case(lambda m, x: m.einsum("ij->", x) ** 2, (A,)),
    "einsum:ij,k->k": Case(lambda m, x, z: m.einsum("ij,k->k", x, z) ** 2, (A, (2,))),
    "einsum:a...,...b": Case(lambda m, x, z: m.einsum("a...,...b", x, z) ** 2, (A, (1, 2))),
    "einsum:ii": Case(lambda m, x: m.einsum("ii", x) ** 2, ((3, 3),)),
    "prod:with a zero": Case(
        lambda m, x: m.prod(m.multiply(x, np.array([1, 0, 2], np.int8)), 1) * x[0], ((3, 3),)
    ),
    "prod:with zeros": Case(
        lambda m, x: m.prod(m.multiply(x, np.array([0, 0, 2], np.int8)), axis=(1,), keepdims=True),
        ((3, 3),),
    ),
    "take_along_axis:all": Case(
        lambda m, x: m.take_along_axis(x, np.array([5, 0, 0]), None) ** 2, (A,)
    ),
    "concatenate:all": Case(lambda m, a, b: m.concatenate([a, b], axis=None) ** 2, (A, (4,))),
    "solve:stack": Case(lambda m, a, b: m.solve(m.add(a, SHIFT), b), ((2, 3, 3), (3, 2))),
    "det:stack": Case(lambda m, x: m.det(m.add(x, SHIFT)), ((2, 3, 3),)),
    "dot:a number": Case(lambda m, a, b: m.dot(a, b) ** 2, ((), (2, 3))),
    "moveaxis:several": Case(lambda m, x: m.moveaxis(x, (0, 1), (-1, 0)) ** 2, ((2, 3, 4),)),
    "pad:value": Case(lambda m, x: m.pad(x, 1, constant_values=2.0) ** 2, (A,)),
    "expand_dims:several": Case(lambda m, x: m.expand_dims(x, (0, 2)) ** 2, (A,)),
    "softmax_cross_entropy:twice": Case(
        lambda m, x: m.softmax_cross_entropy(x, LABELS) ** 2, ((4, 3),)
    ),
}
ALL_CASES = {**CASES, **WITHOUT_ORACLE}
FUNCTIONS = [name for name in functions.__all__ if name.islower()]


def inputs_of(case: Case, seed: int, dtype: Any = np.float64) -> list[np.ndarray]:
    """Draw a case's inputs; for one of many elements none is close to another or to a kink."""
    rng = np.random.default_rng(seed)
    inputs = []
    for shape in case.shapes:
        size = int(np.prod(shape))
        places = (rng.permutation(size) + rng.uniform(0.2, 0.8, size)) / max(size, 1)
        inputs.append((case.low + (case.high - case.low) * places).reshape(shape).astype(dtype))
    return inputs
