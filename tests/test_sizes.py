"""How large gradients are along a pass, and where they die or hardly get through."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, square
from ipygrad import functions as F  # noqa: N812
from ipygrad.explain.sizes import Sizes, gradient_sizes


def sizes_of(bp: BackwardPass) -> Sizes:
    assert bp._run
    return gradient_sizes(bp.graph, bp._run.cotangent, bp._run.steps, bp._findings)


def strip(bp: BackwardPass, **options: Any) -> Any:
    shown = BackwardPass(bp.graph, bp._run, **options)
    return shown._payload({})["sizes"]


def shrinking(count: int) -> BackwardPass:
    y = Variable(1.0, name="x")
    for _ in range(count):
        y = y * 0.01
    return backward_pass(y)


def test_the_scale_goes_around_all_sizes_by_powers_of_ten() -> None:
    sizes = sizes_of(shrinking(6))
    assert sizes.largest == pytest.approx([1, 1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
    assert (sizes.low, sizes.high) == (-10, 0)
    assert strip(shrinking(6))["bars"] == [1, 1, 0.8, 0.6, 0.4, 0.2, 0]


def test_equal_sizes_have_a_scale_too() -> None:
    y = Variable(1.0)
    for _ in range(6):
        y = -y
    assert strip(backward_pass(y))["bars"] == [1] * 7


def test_of_an_array_the_largest_element_counts() -> None:
    x = Variable(np.array([1.0, -3.0, 2.0]))
    assert sizes_of(backward_pass(F.sum(square(square(x))))).largest == [1, 1, 1, 18]


def test_what_lets_nothing_through_is_dead_and_what_comes_after_has_no_size() -> None:
    y = Variable(-1.0, name="x")
    for _ in range(3):
        y = square(y) - 2.0
    y = square(square(F.relu(y)))
    found = strip(backward_pass(y))
    assert found["dead"] == [1]  # the square of 0, before relu could let nothing through
    assert found["bars"][1] is not None
    assert set(found["bars"][2:]) == {None}
    assert "Nothing gets through at 1 (×)." in found["text"]


def test_a_dead_relu_is_named() -> None:
    y = Variable(0.5)
    for _ in range(5):
        y = y * 2.0
    found = strip(backward_pass(F.exp(F.relu(-y))))
    assert found["dead"] == [2]


def test_a_function_on_the_flat_part_of_its_curve_is_saturated() -> None:
    y = Variable(12.0)
    for _ in range(5):
        y = y * 1.0
    found = strip(backward_pass(F.tanh(y)))
    assert (found["dead"], found["saturated"]) == ([], [1])
    assert "Saturated at 1 (–)." in found["text"]


def test_of_many_the_first_are_listed_and_the_others_counted() -> None:
    ends = [F.relu(Variable(-1.0)) for _ in range(9)]
    y = ends[0]
    for end in ends[1:]:
        y = y + end
    text = strip(backward_pass(y))["text"]
    assert re.search(r"Nothing gets through at (\d+, ){5}\d+ and 3 more \(×\)\.", text)


def test_a_short_pass_and_one_whose_numbers_are_covered_have_none() -> None:
    assert strip(shrinking(5)) is None
    covered = BackwardPass(shrinking(6).graph, shrinking(6)._run, predict=True)
    assert covered._payload({})["sizes"] is None


def test_where_steps_are_cut_only_those_that_are_kept_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ipygrad.record.MOST_STEPS", 8)
    y = F.relu(Variable(-1.0))
    for _ in range(20):
        y = y + 1.0
    found = strip(backward_pass(y))
    assert len(found["bars"]) == 9
    assert found["dead"] == []
