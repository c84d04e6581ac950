"""Every function that PyTorch has, too, where it is installed: values, first and second order.

At kinks and ties, where mathematics leaves a choice, the conventions are compared as well. One
difference is left out: for a singular matrix torch may give zeros where the cofactors are not zero;
finite differences are the witness there, in `test_functions.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Variable, functions
from tests.formulas import ALL_CASES, inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[Any, np.dtype[np.float64]]

torch: Any = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

WITHOUT_COUNTERPART = {"cbrt", "float_power", "dropout"}
"""Torch has no cube root, its float_power is power, and it draws its own random numbers."""


def _dims(axis: Any, x: Any) -> Any:
    return tuple(range(x.ndim)) if axis is None else axis


def _by_index(rearrange: Callable[..., Any]) -> Callable[..., Any]:
    def rearranged(x: Any, *options: Any, **named: Any) -> Any:
        places = rearrange(np.arange(x.numel()).reshape(tuple(x.shape)), *options, **named)
        return x.reshape(-1)[torch.from_numpy(np.array(places))]

    return rearranged


def _reduced(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return reduce(x, dim=_dims(axis, x), keepdim=keepdims)

    return call


def _spread(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        return reduce(x, dim=_dims(axis, x), correction=ddof, keepdim=keepdims)

    return call


def _prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    for dim in sorted((i % x.ndim for i in np.atleast_1d(_dims(axis, x))), reverse=True):
        x = torch.prod(x, dim=int(dim), keepdim=keepdims)
    return x


def _tensor(value: Any) -> Any:
    return value if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))


def _split(x: Any, sections: Any, axis: int = 0) -> Any:
    parts = sections if isinstance(sections, int) else tuple(sections)
    return torch.tensor_split(x, parts, dim=axis)


def _expand_dims(x: Any, axis: Any) -> Any:
    for dim in np.atleast_1d(axis):
        x = torch.unsqueeze(x, int(dim))
    return x


def _pad(x: Any, width: Any, _mode: str = "constant", constant_values: float = 0.0) -> Any:
    pairs = np.broadcast_to(width, (x.ndim, 2))[::-1]
    return torch.nn.functional.pad(x, pairs.ravel().tolist(), value=constant_values)


def _counterparts() -> SimpleNamespace:
    own = torch.nn.functional
    names = {name: getattr(torch, name) for name in functions.__all__ if hasattr(torch, name)}
    m = SimpleNamespace(**names)
    for name in ("elu", "leaky_relu", "relu", "silu", "softplus", "mean_squared_error"):
        setattr(m, name, getattr(own, name.replace("mean_squared_error", "mse_loss")))
    m.gelu = lambda x: own.gelu(x, approximate="tanh")
    m.rint = torch.round
    m.clip = lambda x, low, high: torch.clip(x, _tensor(low), _tensor(high))
    m.power = torch.pow
    m.where = lambda condition, a, b: torch.where(_tensor(condition), a, b)
    m.sum, m.mean = _reduced(torch.sum), _reduced(torch.mean)
    m.max, m.min = _reduced(torch.amax), _reduced(torch.amin)
    m.prod = _prod
    m.norm = _reduced(torch.linalg.vector_norm)
    m.var, m.std = _spread(torch.var), _spread(torch.std)
    m.logsumexp = _reduced(torch.logsumexp)
    m.cumsum = lambda x, axis=None: (
        torch.cumsum(x.reshape(-1), 0) if axis is None else torch.cumsum(x, axis)
    )
    m.add = lambda a, b: torch.add(_tensor(a), _tensor(b))
    m.multiply = lambda a, b: torch.multiply(_tensor(a), _tensor(b))
    m.expand_dims = _expand_dims
    m.transpose = lambda x, axes=None: x.permute(axes or tuple(reversed(range(x.ndim))))
    m.squeeze = lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis)
    m.astype = lambda x, _dtype: x.to(torch.float64)
    m.concatenate = lambda xs, axis=0: (
        torch.cat([x.reshape(-1) for x in xs]) if axis is None else torch.cat(xs, dim=axis)
    )
    m.stack = lambda xs, axis=0: torch.stack(xs, dim=axis)
    m.split = _split
    for name in ("flip", "roll", "repeat", "tile", "diagonal"):
        setattr(m, name, _by_index(getattr(np, name)))
    m.trace = lambda x, offset=0: m.diagonal(x, offset).sum()
    m.pad = _pad
    m.take_along_axis = lambda x, order, axis: torch.take_along_dim(x, _tensor(order), axis)
    m.getitem = lambda x, index: _by_index(lambda places: places[index])(x)
    m.dot = _dot
    m.tensordot = lambda a, b, axes=2: torch.tensordot(a, b, dims=axes)
    m.inv, m.det, m.solve = torch.linalg.inv, torch.linalg.det, torch.linalg.solve
    m.softmax = lambda x, axis=-1: torch.softmax(x, dim=axis)
    m.log_softmax = lambda x, axis=-1: torch.log_softmax(x, dim=axis)
    m.linear = lambda x, W, b=0.0: torch.matmul(x, W) + b  # noqa: N803 - as in print
    m.softmax_cross_entropy = lambda x, labels: own.cross_entropy(x, _tensor(labels))
    return m


def _dot(a: Any, b: Any) -> Any:
    return torch.tensordot(a, b, dims=([-1], [max(b.ndim - 2, 0)])) if a.ndim else a * b


COUNTERPARTS = _counterparts()

COMPARED = [name for name in ALL_CASES if name.partition(":")[0] not in WITHOUT_COUNTERPART]


def by_ipygrad(
    formula: Callable[..., Any], inputs: Sequence[Array], directions: Sequence[Array]
) -> list[Any]:
    variables = [Variable(x) for x in inputs]
    y = formula(functions, *variables)
    y.backward(create_graph=True)
    first = [x.grad for x in variables]
    along = sum((gx * d).sum() for gx, d in zip(first, directions, strict=True))
    for x in variables:
        x.cleargrad()
    if along.creator is not None:
        along.backward()
    second = [np.zeros(x.shape) if x.grad is None else x.grad for x in variables]
    return [y.data, *(gx.data for gx in first), *second]


def by_torch(
    formula: Callable[..., Any], inputs: Sequence[Array], directions: Sequence[Array]
) -> list[Any]:
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    y = formula(COUNTERPARTS, *tensors)
    first = torch.autograd.grad(y.sum(), tensors, create_graph=True)
    along = sum((gx * torch.tensor(d)).sum() for gx, d in zip(first, directions, strict=True))
    second = [None] * len(tensors)
    if along.requires_grad:
        second = torch.autograd.grad(along, tensors, allow_unused=True)
    zeros = [np.zeros(x.shape) for x in inputs]
    return [
        y.detach().numpy(),
        *(gx.detach().numpy() for gx in first),
        *(z if gx is None else gx.numpy() for z, gx in zip(zeros, second, strict=True)),
    ]


@pytest.mark.parametrize("name", COMPARED)
def test_functions(name: str) -> None:
    formula = ALL_CASES[name].formula
    inputs = inputs_of(ALL_CASES[name], len(name))
    rng = np.random.default_rng(0)
    directions = [np.asarray(rng.normal(size=x.shape)) for x in inputs]
    ours, theirs = (by(formula, inputs, directions) for by in (by_ipygrad, by_torch))
    for own, other in zip(ours, theirs, strict=True):
        assert np.shape(own) == np.shape(other)
        size = float(np.max(np.abs(other), initial=1.0))
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12 * size)


@pytest.mark.parametrize(
    "name",
    [
        *("gelu", "silu", "elu", "softplus", "leaky_relu", "relu", "softmax", "log_softmax", "abs"),
        *("max", "min", "norm", "std", "prod", "sign", "rint", "logsumexp", "square", "cumsum"),
    ],
)
@pytest.mark.parametrize("at", ["random", "zeros", "ties"])
def test_conventions(name: str, at: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    if at != "random":
        x = np.zeros((3, 4)) if at == "zeros" else np.round(x) + 0.0
    ours, other = Variable(x), torch.tensor(x, requires_grad=True)
    y = getattr(functions, name)(ours)
    z = getattr(COUNTERPARTS, name)(other)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-12)
    cotangent = np.random.default_rng(1).normal(size=y.shape)
    y.grad = cotangent
    y.backward()
    z.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(ours.grad, other.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_the_slope_of_the_root_of_zero() -> None:
    ours, other = Variable([0.0, 4.0]), torch.tensor([0.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        functions.sqrt(ours).backward()
    torch.sqrt(other).sum().backward()
    assert ours.grad.tolist() == other.grad.tolist() == [np.inf, 0.25]
