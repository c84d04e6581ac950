"""Which passes are to be shown: of each result, of those that a cell ran, of its gradients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ipygrad.capture.own_runs import NO_TURNS, OwnTurns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.backward import Origin
    from ipygrad.capture.graph import Graph
    from ipygrad.capture.then import StandIns
    from ipygrad.engine.core import Array, Variable

    Read = Callable[[object], Captured]

MOST_TABS = 8
"""Passes that one cell shows."""


@dataclass(frozen=True, eq=False)
class Job:
    """A pass that is to be recorded and shown.

    Attributes
    ----------
    captured
        The graph of its result.
    write
        Whether to leave its gradients.
    own
        What a learner's classes, or a learner by hand, did with the graph.
    start
        What the pass began with, and where that came from; None for what it would begin with now.
    stand_ins
        Of a graph that holds the values of an earlier moment, which of its variables stand for
        the user's.
    held
        Gradients that earlier passes had left when the cell's pass began, by number.
    dropped
        Variables whose gradients the cell's pass has dropped after use, by number.
    number
        Of the pass among several, None where it needs none.
    is_of_gradient
        Whether the result is the gradient of a leaf.
    """

    captured: Captured
    write: bool = False
    own: OwnTurns = NO_TURNS
    start: tuple[Array, Origin] | None = None
    stand_ins: StandIns | None = None
    held: Mapping[int, Array] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    number: int | None = None
    is_of_gradient: bool = False


def jobs_of_results(
    results: Sequence[object], read: Read, job_of: Callable[[Captured], Job]
) -> list[Job]:
    """Return a job for each result; where two have one name they are numbered."""
    jobs = [job_of(read(result)) for result in results]
    names = [result_name(job.captured.graph) for job in jobs]
    if len(set(names)) == len(names):
        return jobs
    return [replace(job, number=number) for number, job in enumerate(jobs, 1)]


def named(graph: Graph, names: Mapping[Variable, str], bound: Iterable[Variable] = ()) -> Graph:
    """Return a graph with other names of variables, unless the user has `bound` them to one."""
    kept = set(bound)
    return replace(
        graph,
        variables=tuple(
            replace(node, name=names[node.variable])
            if node.variable in names and node.variable not in kept
            else node
            for node in graph.variables
        ),
    )


def result_name(graph: Graph) -> str:
    """Return what the result of a graph is called."""
    return graph.variables[graph.results[0]].name
