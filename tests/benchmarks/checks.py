"""What it costs to compare each backward with its forward, beside the pass without.

Run ``python -m tests.benchmarks.checks``. A pass is recorded and its table made, with checks and
without; each time is the best of several runs. At most 3 times as long is wanted.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad import (
    BackwardPass,
    Function,
    Variable,
    exp,
    linear,
    softmax_cross_entropy,
    square,
    tanh,
)
from ipygrad.capture.backward import run_backward
from ipygrad.capture.graph import capture_graph

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 7
MOST = 3.0


class Cube(Function):
    """As a learner writes it."""

    def forward(self, x: Any) -> Any:
        return x**3

    def backward(self, gy: Any) -> Any:
        return gy * 3 * self.input.data**2


def seed() -> Variable:
    return square(exp(square(Variable(0.5))))


def chain(make: Callable[[Any], Variable], length: int) -> Variable:
    y = Variable(0.5)
    for _ in range(length):
        y = make(y)
    return y


def network() -> Variable:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 100))
    W1, W2 = (Variable(rng.normal(scale=0.1, size=size)) for size in ((100, 100), (100, 10)))  # noqa: N806
    return softmax_cross_entropy(linear(tanh(linear(x, W1)), W2), rng.integers(0, 10, 64))


def seconds(y: Variable, checks: bool) -> float:
    def once() -> float:
        start = perf_counter()
        graph = capture_graph([y])
        BackwardPass(graph, run_backward(graph), checks=checks).table()
        return perf_counter() - start

    return min(once() for _ in range(RUNS))


def main() -> None:
    print(f"milliseconds to record a pass and make its table; at most {MOST:g} times wanted\n")
    for title, y in (
        ("seed cell", seed()),
        ("300 tanh of a number", chain(tanh, 300)),
        ("30 functions of a learner's own", chain(Cube(), 30)),
        ("64x100-100-10 network", network()),
    ):
        count = len(capture_graph([y]).functions)
        without, with_checks = seconds(y, False), seconds(y, True)
        ratio = with_checks / without
        print(
            f"{title:32} without {without * 1e3:8.2f}   with {with_checks * 1e3:8.2f}   "
            f"times {ratio:5.2f}   a check {(with_checks - without) / count * 1e3:6.3f}"
            + ("   MISSED" if ratio > MOST else "")
        )


if __name__ == "__main__":
    main()
