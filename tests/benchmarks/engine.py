"""What the engine costs beside hand-written numpy and beside other engines, in one run.

Install the rivals with ``pip install '.[bench]'`` (torch by itself) and run
``python -m tests.benchmarks.engine``; ``--quick`` leaves out the largest sizes, ``--slow`` brings
the rival that takes minutes. Each job is one step, forward and backward; each time is the best of
several runs. All engines must agree on the gradients. At the end stands, in plain words, what is
missed.
"""

from __future__ import annotations

import argparse
import gc
import tracemalloc
import weakref
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad import Variable, backward_pass, linear, relu, softmax_cross_entropy, tanh
from tests.benchmarks import rivals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Job = Callable[[], Any]

RUNS = 5
MOST_RUNS = 50
"""How often what takes little time is run: the shorter it is, the more a disturbance weighs."""
LONG = 1.0
"""Seconds after which once is enough, and for all runs of what is run more than `RUNS` times."""
ALLOWED_GROWTH = 15
"""How much longer ten times as many functions may take to be captured."""
BYTES = 400
"""What a function in a chain may hold, with its output."""


def chain_by_engine(start: Any, length: int, retain_grad: bool = True) -> Any:
    y = x = Variable(start)
    for _ in range(length):
        y = tanh(y)
    y.backward(retain_grad)
    return x.grad


def chain_by_hand(start: Any, length: int, keep: bool = True) -> Any:
    """Do the same with arrays alone; `keep` the gradients of intermediates, as the engine does."""
    values = [np.asarray(start)]
    for _ in range(length):
        values.append(np.asarray(np.tanh(values[-1])))
    gradient = np.ones_like(values[-1])
    kept = []
    for y in reversed(values[1:]):
        gradient = np.asarray(gradient * (1 - y * y))
        if keep:
            kept.append(gradient)
    return gradient


def fan_by_engine(count: int) -> float:
    leaves = [Variable(float(k)) for k in range(count)]
    sum(leaves[1:], leaves[0]).backward()
    return float(leaves[-1].grad)


def fan_by_hand(count: int) -> float:
    """Do the same with arrays alone: add up, and hand each summand a gradient of its own."""
    values = [np.array(float(k)) for k in range(count)]
    y = values[0]
    for value in values[1:]:
        y = np.asarray(y + value)
    gradient = np.ones_like(y)
    return float([np.array(gradient) for _ in values][-1])


# --- the scalar network of micrograd's demonstration: two moons, 2-16-16-1 ---


def moons(samples: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, np.pi, samples)
    label = np.arange(samples) % 2 * 2.0 - 1
    x = np.stack([np.cos(angle) * -label - (label > 0), np.sin(angle) * -label], axis=1)
    return x + rng.normal(scale=0.1, size=x.shape), label


def weights_of_moons() -> list[float]:
    count = 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    return [float(w) for w in np.random.default_rng(2).uniform(-1, 1, count)]


def scalar_loss(parameters: list[Any], samples: int, rectify: Callable[[Any], Any]) -> Any:
    """Return the loss of the network, number by number; about 650 functions for each sample."""
    points, labels = moons(samples)
    total: Any = 0.0
    for point, label in zip(points.tolist(), labels.tolist(), strict=True):
        values: list[Any] = point
        supply = iter(parameters)
        for inputs, neurons in ((2, 16), (16, 16), (16, 1)):
            sums = [_neuron(supply, values, inputs) for _ in range(neurons)]
            values = sums if neurons == 1 else [rectify(s) for s in sums]
        total = total + rectify(1 + values[0] * -label)
    return total * (1 / samples)


def _neuron(supply: Iterator[Any], values: list[Any], inputs: int) -> Any:
    weights = [next(supply) for _ in range(inputs)]
    activation = next(supply)
    for weight, value in zip(weights, values, strict=True):
        activation = activation + weight * value
    return activation


def moons_by_engine(samples: int) -> Any:
    parameters = [Variable(w) for w in weights_of_moons()]
    scalar_loss(parameters, samples, relu).backward()
    return np.array([p.grad.item() for p in parameters])


# --- a layered network on arrays: 64 samples, 784-100-10 ---


def network() -> tuple[Any, Any, list[Any]]:
    rng = np.random.default_rng(3)
    sizes = ((784, 100), (100,), (100, 10), (10,))
    weights = [rng.normal(scale=0.05, size=size) for size in sizes]
    return rng.normal(size=(64, 784)), rng.integers(0, 10, 64), weights


X, LABELS, WEIGHTS = network()


def network_by_engine() -> Any:
    W1, b1, W2, b2 = parameters = [Variable(w) for w in WEIGHTS]  # noqa: N806
    loss = softmax_cross_entropy(linear(tanh(linear(X, W1, b1)), W2, b2), LABELS)
    loss.backward()
    return parameters[0].grad


def network_by_hand() -> Any:
    W1, b1, W2, b2 = WEIGHTS  # noqa: N806
    hidden = np.tanh(X @ W1 + b1)
    scores = hidden @ W2 + b2
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = shifted / shifted.sum(axis=1, keepdims=True)
    rows = np.arange(len(X))
    _ = -np.log(share[rows, LABELS]).mean()
    share[rows, LABELS] -= 1
    share /= len(X)
    gradients = [hidden.T @ share, share.sum(axis=0)]
    back = share @ W2.T * (1 - hidden * hidden)
    gradients += [X.T @ back, back.sum(axis=0)]
    return gradients[2]


# --- timing ---


def best(jobs: dict[str, Job]) -> dict[str, float]:
    """Return the shortest time of each job in seconds; leave out what cannot do it."""
    seconds: dict[str, float] = {}
    results: dict[str, Any] = {}
    for name, job in jobs.items():
        # All runs of one in a row: the threads of torch spin on for a while, and whoever came next
        # would pay for them; the first run takes that.
        spent = 0.0
        for turn in range(MOST_RUNS):
            if seconds.get(name, 0) > LONG or (turn >= RUNS and spent > LONG):
                break
            if turn < RUNS:
                # Further runs follow one another, as steps of a training do: looking through all
                # that there is empties the processor's caches.
                gc.collect()
            start = perf_counter()
            try:
                result = job()
            except RecursionError:
                print(f"    {name}: RecursionError")
                break
            taken = perf_counter() - start
            spent += taken
            seconds[name] = min(taken, seconds.get(name, taken))
            if turn == 0:
                results[name] = np.asarray(result, float)
    reference = results["ipygrad"]
    for name, result in results.items():
        np.testing.assert_allclose(result, reference, rtol=1e-9, atol=1e-12, err_msg=name)
    return seconds


class Report:
    """Prints each job's row and remembers what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def row(
        self, title: str, seconds: dict[str, float], functions: int, against: str, target: float
    ) -> None:
        """Print times in microseconds per function, and the ratio to `against` with its target."""
        own = seconds["ipygrad"]
        others = ", ".join(
            f"{name} {taken / functions * 1e6:.2f}"
            for name, taken in seconds.items()
            if name != "ipygrad"
        )
        print(f"{title:34} ipygrad {own / functions * 1e6:9.2f} | {others}")
        if against in seconds:
            self.judge(f"{title}: times {against}", own / seconds[against], target)
        for name, taken in seconds.items():
            if name not in (against, "by hand") and taken < own:
                self.missed.append(f"{title}: {name} is {own / taken:.2f} times as fast")

    def judge(self, what: str, found: float, target: float) -> None:
        """Compare a number with what it is to be at most."""
        print(f"{'':34} {what}: {found:.2f} (at most {target})")
        if found > target:
            self.missed.append(f"{what}: {found:.2f}, at most {target} wanted")


def memory_per_function(length: int = 10_000) -> float:
    """Return the bytes that a chain holds for each function; all must be freed with its result."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = Variable(0.5)
        for _ in range(length):
            y = tanh(y)
        held = tracemalloc.get_traced_memory()[0] - before
        watched = weakref.ref(y.creator)
        del y
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert watched() is None
    assert left < held / 20, f"{left} of {held} bytes are still held"  # Python keeps some tuples
    return held / length


def capture(size: int) -> float:
    y = Variable(0.5)
    for _ in range(size):
        y = tanh(y)
    start = perf_counter()
    backward_pass(y)
    return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest sizes")
    parser.add_argument("--slow", action="store_true", help="bring DeZero's scalar network, too")
    options = parser.parse_args()
    report = Report()
    # The modules of all rivals together are hundreds of thousands of objects. No engine shall pay
    # for the others' when Python's garbage collector looks through what there is.
    gc.collect()
    gc.freeze()
    print("microseconds per function, forward and backward together\n")
    for length, target in ((1_000, 2.0), (10_000, 2.2), (100_000, 2.6))[
        : 2 if options.quick else 3
    ]:
        jobs: dict[str, Job] = {
            "ipygrad": partial(chain_by_engine, np.array(0.5), length),
            "by hand": partial(chain_by_hand, np.array(0.5), length),
            **rivals.chains(np.array(0.5), length),
        }
        report.row(f"tanh chain, {length:,} numbers", best(jobs), length, "by hand", target)
    for count in (1_000, 10_000, 100_000)[: 2 if options.quick else 3]:
        jobs = {
            "ipygrad": partial(fan_by_engine, count),
            "by hand": partial(fan_by_hand, count),
        }
        taken = best(jobs)
        report.row(f"sum of {count:,} leaves", taken, count, "", 0)
        print(f"{'':34} times by hand: {taken['ipygrad'] / taken['by hand']:.2f}")
    for size, length, target in ((1_000, 1_000, 1.4), (1_000_000, 8, 1.3)):
        start = np.linspace(-1, 1, size)
        jobs = {
            "ipygrad": partial(chain_by_engine, start, length),
            "by hand": partial(chain_by_hand, start, length),
            **rivals.chains(start, length),
        }
        report.row(f"tanh chain, {size:,} elements", best(jobs), length, "by hand", target)
        jobs = {
            "ipygrad": partial(chain_by_engine, start, length, retain_grad=False),
            "by hand": partial(chain_by_hand, start, length, keep=False),
        }
        report.row("  the same, only x's gradient kept", best(jobs), length, "by hand", target)
    times = {}
    for samples in (100, 200):
        jobs = {
            "ipygrad": partial(moons_by_engine, samples),
            **rivals.moons(samples, scalar_loss, weights_of_moons(), options.slow),
        }
        taken = best(jobs)
        times[samples] = taken["ipygrad"]
        report.row(f"two moons, {samples} samples", taken, samples * 650, "torch", 0.7)
    gc.disable()
    without = best({"ipygrad": lambda: moons_by_engine(100)})["ipygrad"]
    gc.enable()
    print(f"{'':34} ipygrad {without / 65_000 * 1e6:9.2f} with Python's garbage collector off")
    report.judge("two moons: twice the samples take times", times[200] / times[100], 2.3)
    jobs = {
        "ipygrad": network_by_engine,
        "by hand": network_by_hand,
        **rivals.networks(X, LABELS, WEIGHTS),
    }
    report.row("64x784-100-10, a whole step", best(jobs), 1, "by hand", 1.4)
    report.judge("bytes held by a function in a chain", memory_per_function(), BYTES)
    sizes = (1_000, 10_000) if options.quick else (10_000, 100_000)
    smaller, larger = (min(capture(size) for _ in range(3)) for size in sizes)
    report.judge("backward_pass of ten times as many takes times", larger / smaller, ALLOWED_GROWTH)
    print("\nWhere we are behind:" if report.missed else "\nNowhere behind.")
    for line in report.missed:
        print(f"  {line}")


if __name__ == "__main__":
    main()
