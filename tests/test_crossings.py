"""Crossings of the edges as drawn, compared with those of graphviz's `dot` on the same graphs."""

from __future__ import annotations

import shutil
from functools import cache

import pytest

from ipygrad.show.layout import GraphLayout, lay_out
from tests.benchmarks.layout import ALLOWED_RATIO, GRAPHS, dot_curves, drawn_crossings

DOT = shutil.which("dot")
DOT_CROSSINGS = {
    "chain": 0,
    "diamonds": 0,
    "shared inputs": 3,
    "neurons 2-3-1": 11,
    "neurons 3-4-4-1": 148,
    "10 random, near": 41,
    "10 random, far": 83,
    "6 random, near": 156,
    "6 random, far": 546,
    "2 random, near": 176,
    "2 random, far": 1355,
    "a long chain": 0,
}
"""What `dot` draws of the graphs of the benchmark (graphviz 2.43.0)."""


def test_the_numbers_are_those_of_all_graphs_of_the_benchmark() -> None:
    assert DOT_CROSSINGS.keys() == GRAPHS.keys()


@cache
def layouts_of(name: str) -> list[GraphLayout]:
    return [lay_out(graph) for graph in GRAPHS[name]]


@pytest.mark.parametrize("name", GRAPHS)
def test_edges_cross_little_more_often_than_dot_draws_them(name: str) -> None:
    layouts = layouts_of(name)
    ours = sum(drawn_crossings([edge.points for edge in layout.edges]) for layout in layouts)
    assert ours <= ALLOWED_RATIO * DOT_CROSSINGS[name]


@pytest.mark.skipif(DOT is None, reason="dot is not installed: compared with its stated numbers")
@pytest.mark.parametrize("name", GRAPHS)
def test_the_numbers_are_those_of_the_dot_that_is_installed(name: str) -> None:
    assert DOT is not None
    theirs = sum(
        drawn_crossings(dot_curves(graph, layout, DOT))
        for graph, layout in zip(GRAPHS[name], layouts_of(name), strict=True)
    )
    # From release to release they differ a little.
    assert theirs == pytest.approx(DOT_CROSSINGS[name], rel=0.1, abs=2)
