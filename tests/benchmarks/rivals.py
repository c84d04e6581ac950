"""The benchmark's jobs done by other engines, where they are installed."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Jobs = dict[str, Callable[[], Any]]


def installed(name: str) -> Any:
    """Return a module, None where it is not installed."""
    if name == "dezero":
        vars(np).setdefault("int", int)  # it was written for numpy before 1.24
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"    {name} is not installed and left out")
        return None


torch, autograd, dezero = (installed(name) for name in ("torch", "autograd", "dezero"))
micrograd: Any = installed("micrograd.engine")
if micrograd is not None:

    def _tanh(self: Any) -> Any:
        """Compute tanh as the lecture adds it; the release has relu only."""
        value = math.tanh(self.data)
        out = micrograd.Value(value, (self,), "tanh")

        def _backward() -> None:
            self.grad += (1 - value * value) * out.grad

        out._backward = _backward
        return out

    micrograd.Value.tanh = _tanh


def chains(start: Any, length: int) -> Jobs:
    """Return the tanh chain for each engine; it gives the gradient of its start."""
    jobs: Jobs = {}
    if torch is not None:
        jobs["torch"] = lambda: _chain_by_torch(start, length)
    if autograd is not None:
        jobs["autograd"] = lambda: _chain_by_autograd(start, length)
    if dezero is not None and length <= 10_000:
        jobs["dezero"] = lambda: _chain_by_dezero(start, length)
    if micrograd is not None and not np.ndim(start):
        jobs["micrograd"] = lambda: _chain_by_micrograd(float(start), length)
    return jobs


def _chain_by_torch(start: Any, length: int) -> Any:
    y = x = torch.tensor(start, requires_grad=True)
    for _ in range(length):
        y = torch.tanh(y)
    y.backward(torch.ones_like(y))
    return x.grad.numpy()


def _chain_by_autograd(start: Any, length: int) -> Any:
    numpy = importlib.import_module("autograd.numpy")

    def chain(y: Any) -> Any:
        for _ in range(length):
            y = numpy.tanh(y)
        return y

    return autograd.elementwise_grad(chain)(start)


def _chain_by_dezero(start: Any, length: int) -> Any:
    functions = importlib.import_module("dezero.functions")
    y = x = dezero.Variable(start)
    for _ in range(length):
        y = functions.tanh(y)
    y.backward()
    return x.grad.data


def _chain_by_micrograd(start: float, length: int) -> Any:
    y = x = micrograd.Value(start)
    for _ in range(length):
        y = y.tanh()
    y.backward()
    return x.grad


def moons(samples: int, loss: Callable[..., Any], weights: list[float], with_slow: bool) -> Jobs:
    """Return one step of the scalar network for each engine; it gives the weights' gradients."""
    jobs: Jobs = {}
    if torch is not None:
        jobs["torch"] = lambda: _moons_by_torch(samples, loss, weights)
    if micrograd is not None:
        jobs["micrograd"] = lambda: _moons_by_micrograd(samples, loss, weights)
    if autograd is not None:
        jobs["autograd"] = lambda: _moons_by_autograd(samples, loss, weights)
    if dezero is not None and with_slow:
        jobs["dezero"] = lambda: _moons_by_dezero(samples, loss, weights)
    return jobs


def _moons_by_torch(samples: int, loss: Callable[..., Any], weights: list[float]) -> Any:
    parameters = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights]
    loss(parameters, samples, torch.relu).backward()
    return [p.grad.item() for p in parameters]


def _moons_by_micrograd(samples: int, loss: Callable[..., Any], weights: list[float]) -> Any:
    parameters = [micrograd.Value(w) for w in weights]
    loss(parameters, samples, lambda v: v.relu()).backward()
    return [p.grad for p in parameters]


def _moons_by_autograd(samples: int, loss: Callable[..., Any], weights: list[float]) -> Any:
    numpy = importlib.import_module("autograd.numpy")
    gradient = autograd.grad(lambda ws: loss(ws, samples, lambda v: numpy.maximum(v, 0.0)))
    return gradient(weights)


def _moons_by_dezero(samples: int, loss: Callable[..., Any], weights: list[float]) -> Any:
    functions = importlib.import_module("dezero.functions")
    parameters = [dezero.Variable(np.array(w)) for w in weights]
    loss(parameters, samples, functions.relu).backward()
    return [p.grad.data for p in parameters]


def networks(x: Any, labels: Any, weights: list[Any]) -> Jobs:
    """Return one step of the layered network for each engine; it gives the first gradient."""
    jobs: Jobs = {}
    if torch is not None:
        jobs["torch"] = lambda: _network_by_torch(x, labels, weights)
    if autograd is not None:
        jobs["autograd"] = lambda: _network_by_autograd(x, labels, weights)
    if dezero is not None:
        jobs["dezero"] = lambda: _network_by_dezero(x, labels, weights)
    return jobs


def _network_by_torch(x: Any, labels: Any, weights: list[Any]) -> Any:
    W1, b1, W2, b2 = (torch.tensor(w, requires_grad=True) for w in weights)  # noqa: N806
    scores = torch.tanh(torch.from_numpy(x) @ W1 + b1) @ W2 + b2
    torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels)).backward()
    return W1.grad.numpy()


def _network_by_autograd(x: Any, labels: Any, weights: list[Any]) -> Any:
    numpy = importlib.import_module("autograd.numpy")

    def loss(weights: list[Any]) -> Any:
        W1, b1, W2, b2 = weights  # noqa: N806
        scores = numpy.dot(numpy.tanh(numpy.dot(x, W1) + b1), W2) + b2
        largest = numpy.max(scores, axis=1, keepdims=True)
        total = numpy.log(numpy.sum(numpy.exp(scores - largest), axis=1)) + largest[:, 0]
        return numpy.mean(total - scores[numpy.arange(len(x)), labels])

    return autograd.grad(loss)(weights)[0]


def _network_by_dezero(x: Any, labels: Any, weights: list[Any]) -> Any:
    functions = importlib.import_module("dezero.functions")
    W1, b1, W2, b2 = (dezero.Variable(w) for w in weights)  # noqa: N806
    scores = functions.linear(functions.tanh(functions.linear(x, W1, b1)), W2, b2)
    functions.softmax_cross_entropy(scores, labels).backward()
    return W1.grad.data
