"""What the engine costs beside hand-written numpy, and how capture grows with the graph.

Run ``python tests/benchmarks/engine.py``. A chain of tanh and a sum of many leaves, numbers all of
them, go forward and backward: once through the engine, once as the same numpy operations on arrays
of shape ``()``, written out by hand. Each time is the best of several runs.
"""

from __future__ import annotations

import gc
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ipygrad import Variable, backward_pass, tanh

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000, 100_000)
RUNS = 3
ALLOWED_GROWTH = 15
"""How much longer ten times as many functions may take to be captured."""

Seconds = tuple[float, float]


def chain_by_engine(size: int) -> Seconds:
    y = Variable(0.5)
    start = perf_counter()
    for _ in range(size):
        y = tanh(y)
    middle = perf_counter()
    y.backward()
    end = perf_counter()
    return middle - start, end - middle


def chain_by_hand(size: int) -> Seconds:
    values = [np.array(0.5)]
    start = perf_counter()
    for _ in range(size):
        values.append(np.asarray(np.tanh(values[-1])))
    middle = perf_counter()
    gradient = np.ones_like(values[-1])
    for y in reversed(values[1:]):
        gradient = np.asarray(gradient * (1 - y * y))
    end = perf_counter()
    return middle - start, end - middle


def fan_by_engine(size: int) -> Seconds:
    leaves = [Variable(1.0) for _ in range(size + 1)]
    start = perf_counter()
    y = leaves[0]
    for leaf in leaves[1:]:
        y = y + leaf
    middle = perf_counter()
    y.backward()
    end = perf_counter()
    return middle - start, end - middle


def fan_by_hand(size: int) -> Seconds:
    leaves = [np.array(1.0) for _ in range(size + 1)]
    start = perf_counter()
    y = leaves[0]
    for leaf in leaves[1:]:
        y = np.asarray(y + leaf)
    middle = perf_counter()
    gradient = np.ones_like(y)
    gradients = [gradient.copy() for _ in leaves]
    end = perf_counter()
    assert len(gradients) == len(leaves)
    return middle - start, end - middle


def capture(size: int) -> float:
    y = Variable(0.5)
    for _ in range(size):
        y = tanh(y)
    start = perf_counter()
    backward_pass(y)
    return perf_counter() - start


def best(measure: Callable[[int], Seconds], size: int) -> Seconds:
    """Return the shortest forward and the shortest backward time."""
    forward, backward = zip(*(_collected(measure, size) for _ in range(RUNS)), strict=True)
    return min(forward), min(backward)


def _collected(measure: Callable[[int], Seconds], size: int) -> Seconds:
    gc.collect()
    return measure(size)


def main() -> None:
    print("microseconds per function (ratio: engine / numpy by hand)\n")
    print(
        f"{'':6} {'functions':>9} | {'forward':>8} {'by hand':>8} {'ratio':>6} | "
        f"{'backward':>8} {'by hand':>8} {'ratio':>6}"
    )
    for name, engine, hand in (
        ("chain", chain_by_engine, chain_by_hand),
        ("fan", fan_by_engine, fan_by_hand),
    ):
        for size in SIZES:
            columns = [
                f"{ours / size * 1e6:8.2f} {numpys / size * 1e6:8.2f} {ours / numpys:6.1f}"
                for ours, numpys in zip(best(engine, size), best(hand, size), strict=True)
            ]
            print(f"{name:6} {size:9,} | " + " | ".join(columns))
    smaller, larger = (
        min(capture(size) for _ in range(RUNS)) for size in (SIZES[-1] // 10, SIZES[-1])
    )
    ratio = larger / smaller
    print(
        f"\nbackward_pass: {smaller:.3f} s for {SIZES[-1] // 10:,} functions, {larger:.3f} s for "
        f"{SIZES[-1]:,}: ratio {ratio:.1f} (at most {ALLOWED_GROWTH} allowed)"
    )
    if ratio > ALLOWED_GROWTH:
        raise SystemExit("capture grows faster than the graph")


if __name__ == "__main__":
    main()
