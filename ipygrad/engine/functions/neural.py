"""Layers and losses of neural networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Constant, Function, Gradient, Variable, apply
from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.engine.functions.reduction import logsumexp_of
from ipygrad.engine.methods import value_of


class Softmax(Function):
    """Exponentials along an axis, divided by their sum; contribution y · (gy - Σ gy · y).

    Parameters
    ----------
    axis
        Along which the results add up to 1.
    """

    __slots__ = ("axis",)
    label = "softmax"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Compute the shares."""
        return np.exp(x - logsumexp_of(x, self.axis, keepdims=True))

    def backward(self, gy: Gradient) -> Any:
        """Compute y · (gy - Σ gy · y)."""
        y = self.output_like(gy)
        return y * (gy - np.sum(gy * y, axis=self.axis, keepdims=True))


class LogSoftmax(Function):
    """Logarithm of the softmax along an axis, y = x - log Σ exp(x); sums of exp(y) are 1.

    Parameters
    ----------
    axis
        Along which the exponentials of the results add up to 1.
    """

    __slots__ = ("axis",)
    label = "log_softmax"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Compute x - log Σ exp(x)."""
        return x - logsumexp_of(x, self.axis, keepdims=True)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy - exp(y) · Σ gy."""
        y = self.output_like(gy)
        return gy - np.exp(y) * np.sum(gy, axis=self.axis, keepdims=True)


class Linear(Function):
    """Layer y = x @ W + b; contributions gy @ Wᵀ, xᵀ @ gy and the sum of gy over the samples.

    x has shape (..., inputs), W (inputs, outputs), b (outputs,) and may be left out.
    """

    __slots__ = ()
    label = "linear"

    def forward(self, x: Array, W: Array, b: Array | None = None) -> Any:  # noqa: N803 - as in print
        """Compute x @ W + b."""
        y = x @ W
        return y if b is None else y + b

    def backward(self, gy: Gradient) -> Any:
        """Compute the three contributions, not for constants."""
        x, W, *b = self.inputs_like(gy)  # noqa: N806
        gx = gW = None  # noqa: N806
        if type(self.inputs[0]) is not Constant:
            gx = gy @ np.transpose(W)
        if type(self.inputs[1]) is not Constant:
            rows = np.reshape(x, (-1, x.shape[-1]))
            gW = np.transpose(rows) @ np.reshape(gy, (-1, W.shape[-1]))  # noqa: N806
        return (gx, gW, *(sum_to(gy, bias.shape) for bias in b))


class MeanSquaredError(Function):
    """Mean of (a - b)² over all elements; local derivatives ±2 (a - b) / n."""

    __slots__ = ()
    label = "mean_squared_error"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the mean of the squares."""
        if a.shape != b.shape:
            raise ValueError(
                "the shapes must be equal, or every element would be compared with every other: "
                "reshape one of them"
            )
        difference = a - b
        return np.mean(difference * difference)

    def backward(self, gy: Gradient) -> Any:
        """Compute ±gy · 2 (a - b) / n."""
        a, b = self.inputs_like(gy)
        ga = gy * (a - b) * (2 / max(int(self.inputs[0].size), 1))
        return ga, -ga


class SoftmaxCrossEntropy(Function):
    """Mean over samples of -log softmax(x)[label]; local derivative (softmax(x) - one-hot) / n.

    Parameters
    ----------
    labels
        The right class of each sample, integers from 0; a constant.
    """

    __slots__ = ("labels",)
    label = "softmax_cross_entropy"

    def __init__(self, labels: Any) -> None:
        labels = np.asarray(value_of(labels))
        if labels.dtype.kind not in "iu":
            raise TypeError(
                "softmax_cross_entropy takes labels as integers, the number of the right class of "
                f"each sample, but got {labels.dtype.name}: use labels.astype(int), or argmax of "
                "one-hot rows"
            )
        self.labels = labels.copy()

    def forward(self, x: Array) -> Any:
        """Compute the mean of -log softmax(x)[label]."""
        if x.ndim != 2 or self.labels.shape != x.shape[:1]:
            raise ValueError(
                "it needs scores of shape (samples, classes) and as many labels as samples, but "
                f"got labels of shape {self.labels.shape}"
            )
        if self.labels.size and not 0 <= self.labels.min() <= self.labels.max() < x.shape[1]:
            raise IndexError(f"labels must be from 0 to {x.shape[1] - 1}, one of these is not")
        right = x[np.arange(len(x)), self.labels]
        return np.mean(logsumexp_of(x, 1, keepdims=False) - right)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (softmax(x) - one-hot) / n."""
        x = self.input_like(gy)
        samples = x.shape[0]
        shifted = np.exp(x - np.max(self.inputs[0]._value, axis=1, keepdims=True))
        share = shifted / np.sum(shifted, axis=1, keepdims=True)
        if isinstance(gy, Variable):
            one_hot = np.zeros(x.shape, x.dtype)
            one_hot[np.arange(samples), self.labels] = 1
            return (share - one_hot) * (gy / samples)
        share[np.arange(samples), self.labels] -= 1
        share *= gy / samples
        return share


class Dropout(Function):
    """Some elements set to 0 at random, the others scaled up so that the mean stays.

    Parameters
    ----------
    mask
        What elements are multiplied by, 0 or 1 / (1 - ratio). It is part of the graph, so that
        forward and backward, and every run of them, leave out the same elements.
    """

    __slots__ = ("mask",)
    label = "dropout"

    def __init__(self, mask: Any) -> None:
        self.mask = np.asarray(mask)

    def forward(self, x: Array) -> Any:
        """Multiply by the mask."""
        return x * self.mask.astype(x.dtype)

    def backward(self, gy: Gradient) -> Any:
        """Multiply by the same mask."""
        return gy * self.mask.astype(gy.dtype)


def softmax(x: Any, axis: int = -1) -> Variable:
    """Exponentials of x divided by their sum along `axis`, without overflow."""
    return apply(Softmax(axis), x)


def log_softmax(x: Any, axis: int = -1) -> Variable:
    """Logarithm of the softmax of x along `axis`, without overflow."""
    return apply(LogSoftmax(axis), x)


def linear(x: Any, W: Any, b: Any = None) -> Variable:  # noqa: N803 - as in print
    """Layer y = x @ W + b, x of shape (..., inputs), W (inputs, outputs), b (outputs,) or None."""
    return apply(Linear(), x, W) if b is None else apply(Linear(), x, W, b)


def mean_squared_error(a: Any, b: Any) -> Variable:
    """Mean of (a - b)² over all elements; a and b have one shape."""
    return apply(MeanSquaredError(), a, b)


def softmax_cross_entropy(x: Any, labels: Any) -> Variable:
    """Mean over samples of -log softmax(x)[label], x of shape (samples, classes)."""
    return apply(SoftmaxCrossEntropy(labels), x)


def dropout(x: Any, ratio: float = 0.5, rng: Any = None) -> Variable:
    """Set each element to 0 with probability `ratio`, and scale the others by 1 / (1 - ratio).

    Parameters
    ----------
    x
        Of any shape.
    ratio
        At least 0 and less than 1.
    rng
        Where the randomness comes from: a generator of numpy's, or a seed for one.

    Raises
    ------
    ValueError
        For another ratio.
    """
    if not 0 <= ratio < 1:
        raise ValueError(f"dropout needs a ratio from 0 to less than 1, but got {ratio}")
    keep = np.random.default_rng(rng).random(np.shape(x)) >= ratio
    return apply(Dropout(keep / (1 - ratio)), x)
