"""The backward passes that a cell has run itself, as jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ipygrad.capture.adapters.captured import Captured
from ipygrad.capture.backward import changed_in_place
from ipygrad.capture.names import gradient_name, names_in
from ipygrad.capture.own_runs import OwnTurns, node_of, nodes_by_function
from ipygrad.capture.then import StandIns, at_its_moment
from ipygrad.engine.core import Variable
from ipygrad.magic.jobs import MOST_TABS, Job, named, result_name
from ipygrad.magic.passes import dropped_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.capture.moments import Moment, PassObserver
    from ipygrad.capture.recording import CallRecorder
    from ipygrad.capture.turns import Run
    from ipygrad.magic.jobs import Read

MOST_FUNCTIONS = 1_000
"""Of all passes together that a cell has run itself and that are shown beside the last one: a cell
that trains a network is not to take eight times as long for it."""

Ran = TypeVar("Ran")


class CellJobs(NamedTuple):
    """The passes that a cell has run itself.

    Attributes
    ----------
    jobs
        Those that can be shown, in the order in which they ran; then those from gradients.
    lost
        Names of those whose values of then cannot be had again.
    ran
        How many ran in all.
    kept
        How many were kept, the latest.
    more
        How many further gradients a pass could begin from.
    """

    jobs: list[Job]
    lost: list[str]
    ran: int
    kept: int
    more: int = 0


def jobs_of_cell(
    results: Sequence[object],
    observer: PassObserver,
    recorder: CallRecorder,
    read: Read,
    namespace: Mapping[str, object],
    *,
    is_asked_for: bool,
    is_guessed: bool,
) -> CellJobs | None:
    """Return the passes that a cell ran itself, if they are what is to be shown.

    They are where all results are among what these began from or left as gradients, and where the
    cell names no result and ran several.

    Parameters
    ----------
    results
        What the cell's results are otherwise.
    observer, recorder
        Who watched it run.
    read
        Reads the graph of a result.
    namespace
        The user's names after the run.
    is_asked_for
        Whether they are named above the cell: then the other passes are left out.
    is_guessed
        Whether the cell does not say what its results are.
    """
    moments = list(observer.moments)
    # The observer lives until the next cell, and what they hold need not.
    observer.moments.clear()
    first = recorder.run_count - len(recorder.runs) + 1
    runs = [(number, run) for number, run in enumerate(recorder.runs, first) if run.turns]
    begun = [run.result for _, run in runs] or [moment.result for moment in moments]
    left = [again.result for moment in moments for again in moment.gradients.values()]
    wanted = {id(result) for result in results}
    ends = {id(end) for end in (*begun, *left)}
    if not wanted <= ends and not (is_guessed and len(begun) > 1):
        return None
    only = wanted if is_asked_for else {id(end) for end in begun}
    if runs:
        runs = [(number, run) for number, run in runs if id(run.result) in only]
        ran = len(runs) if is_asked_for else recorder.run_count
        # Those that were cut off would tell a wrong story.
        is_one = len(begun) == 1 or recorder.is_cut
        return None if is_one else _jobs_of_runs(runs, ran, wanted, read)
    return _jobs_of_moments(moments, only, observer, read, namespace)


def _latest(passes: Sequence[Ran], size_of: Callable[[Ran], int]) -> list[Ran]:
    """Return the latest passes that are small enough to be shown together, at least one."""
    latest: list[Ran] = []
    total = 0
    for one in reversed(passes):
        total += size_of(one)
        if latest and total > MOST_FUNCTIONS:
            break
        latest.insert(0, one)
    return latest


def _jobs_of_runs(
    asked_for: Sequence[tuple[int, Run]], ran: int, wanted: set[int], read: Read
) -> CellJobs:
    """Return the passes of a learner's engine; what their functions gave back was kept."""
    runs = _latest(asked_for, lambda numbered: len(numbered[1].turns))
    jobs: list[Job] = []
    lost: list[str] = []
    for number, run in runs:
        captured = read(run.result)
        nodes = nodes_by_function(captured.graph)
        turns = [turn for turn in run.turns if node_of(nodes, turn) is not None]
        # The values are those of now, and the steps of the result say which have changed.
        if not turns or (id(run.result) not in wanted and changed_in_place(captured.graph)):
            lost.append(f"{number}. {result_name(captured.graph)}")
            continue
        number_or_none = number if len(runs) > 1 else None
        jobs.append(Job(captured, own=OwnTurns(turns), number=number_or_none))
    return CellJobs(jobs, lost, ran, len(runs))


def _jobs_of_moments(
    moments: Sequence[Moment],
    only: set[int],
    observer: PassObserver,
    read: Read,
    namespace: Mapping[str, object],
) -> CellJobs:
    """Return the passes of our engine, with the values of then, and those from their gradients."""
    asked_for = [moment for moment in moments if id(moment.result) in only]
    shown = _latest(asked_for, lambda moment: moment.size)
    jobs: list[Job] = []
    lost: list[str] = []
    bound = names_in(namespace)

    def add(moment: Moment, live: Graph, number: int | None, dropped: frozenset[int]) -> None:
        graph = at_its_moment(live, moment)
        if graph is None:
            # One that was unchained is a leaf by now, which is called nothing.
            site = observer.site_of(moment.result)
            name = next(iter(() if site is None else site.targets), result_name(live))
            lost.append(name if number is None else f"{number}. {name}")
            return
        stand_ins = None if graph is live else StandIns(live, graph)
        jobs.append(
            Job(
                Captured(graph, None),
                start=(moment.cotangent, moment.origin),
                stand_ins=stand_ins,
                held={
                    node.index: moment.held[node.variable]
                    for node in live.variables
                    if node.variable in moment.held
                },
                dropped=dropped,
                number=number,
                is_of_gradient=number is None and moment not in shown,
            )
        )

    before = [m for m in moments if only & {id(again.result) for again in m.gradients.values()}]
    graphs = {id(moment.result): read(moment.result) for moment in (*before, *shown)}
    names: dict[Variable, str] = {}
    for moment in (*before, *shown):
        names |= _gradient_names(graphs[id(moment.result)].graph, moment)
    for moment in shown:
        live = graphs[id(moment.result)]
        number = None if len(shown) == 1 else moment.number
        add(moment, named(live.graph, names, bound), number, dropped_gradients(live))
    seen = {id(moment.result) for moment in moments}
    more = sum(moment.more_gradients for moment in shown)
    for moment in moments:
        for again in moment.gradients.values():
            is_wanted = id(again.result) in only or moment in shown
            if id(again.result) in seen or not is_wanted:
                continue
            seen.add(id(again.result))
            if len(jobs) + len(lost) >= MOST_TABS:
                more += 1
                continue
            add(again, named(read(again.result).graph, names, bound), None, frozenset())
    ran = observer.pass_count if len(asked_for) == len(moments) else len(asked_for)
    return CellJobs(jobs, lost, ran, len(shown), more)


def _gradient_names(graph: Graph, moment: Moment) -> dict[Variable, str]:
    """Return what to call the gradients that a pass has left as Variables: ``x.grad``."""
    found = {}
    for node in graph.variables:
        again = moment.gradients.get(node.variable)
        gradient = node.variable.grad if again is None else again.result
        if moment.gradients and isinstance(gradient, Variable):
            found[gradient] = gradient_name(node.name)
    return found
