"""Which passes are to be shown: of each result, of those that a cell ran, of its gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ipygrad.capture.adapters.captured import Captured
from ipygrad.capture.backward import changed_in_place
from ipygrad.capture.names import gradient_name, names_in
from ipygrad.capture.own_runs import NO_TURNS, OwnTurns, node_of, nodes_by_function
from ipygrad.capture.then import StandIns, at_its_moment
from ipygrad.engine.core import Variable
from ipygrad.magic.passes import dropped_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ipygrad.capture.backward import BackwardRun, Origin
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.capture.moments import Moment, PassObserver
    from ipygrad.capture.recording import CallRecorder
    from ipygrad.capture.turns import Run
    from ipygrad.engine.core import Array

    Again = dict[VariableNode, Variable]
    Read = Callable[[object], Captured]

MOST_TABS = 8
"""Passes that one cell shows."""
MOST_FUNCTIONS = 1_000
"""Of all passes together that a cell has run itself and that are shown beside the last one: a cell
that trains a network is not to take eight times as long for it."""


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
    dropped: frozenset[int] = frozenset()
    number: int | None = None
    is_of_gradient: bool = False


class Recorded(NamedTuple):
    """A job that was done.

    Attributes
    ----------
    job
        Which.
    run
        The pass; None where a cell had not come that far.
    notices
        What to say of it.
    again
        Its gradients as Variables that can be differentiated again, where that was asked for.
    error
        Why it, or its gradients, could not be finished.
    has_right_end
        Whether the pass in the right order reaches the leaves.
    """

    job: Job
    run: BackwardRun | None
    notices: tuple[str, ...]
    again: Again | None = None
    error: Exception | None = None
    has_right_end: bool = False


class GradientToShow(NamedTuple):
    """The gradient of a leaf, from which a further pass begins.

    Attributes
    ----------
    result
        Itself.
    names
        What to call it and the others of its pass.
    number
        Of its pass among several, None where it needs none.
    """

    result: Variable
    names: dict[Variable, str]
    number: int | None


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


def jobs_of_results(
    results: Sequence[object], read: Read, job_of: Callable[[Captured], Job]
) -> list[Job]:
    """Return a job for each result; where two have one name they are numbered."""
    jobs = [job_of(read(result)) for result in results]
    names = [result_name(job.captured.graph) for job in jobs]
    if len(set(names)) == len(names):
        return jobs
    return [replace(job, number=number) for number, job in enumerate(jobs, 1)]


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
    runs = [run for run in recorder.runs if run.turns]
    begun = [run.result for run in runs] if runs else [moment.result for moment in moments]
    left = [again.result for moment in moments for again in moment.gradients.values()]
    wanted = {id(result) for result in results}
    ends = {id(end) for end in (*begun, *left)}
    if not wanted <= ends and not (is_guessed and len(begun) > 1):
        return None
    if runs:
        return _jobs_of_runs(runs, wanted, recorder, read) if len(runs) > 1 else None
    only = wanted if is_asked_for else ends
    return _jobs_of_moments(moments, only, observer, read, namespace)


Ran = TypeVar("Ran")


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
    runs: Sequence[Run], wanted: set[int], recorder: CallRecorder, read: Read
) -> CellJobs | None:
    """Return the passes of a learner's engine; what their functions gave back was kept."""
    if recorder.is_cut:
        return None
    runs = _latest(runs, lambda run: len(run.turns))
    jobs: list[Job] = []
    lost: list[str] = []
    for number, run in enumerate(runs, recorder.run_count - len(runs) + 1):
        captured = read(run.result)
        nodes = nodes_by_function(captured.graph)
        turns = [turn for turn in run.turns if node_of(nodes, turn) is not None]
        # The values are those of now, and the steps of the result say which have changed.
        if not turns or (id(run.result) not in wanted and changed_in_place(captured.graph)):
            lost.append(f"{number}. {result_name(captured.graph)}")
            continue
        number_or_none = number if len(runs) > 1 else None
        jobs.append(Job(captured, own=OwnTurns(turns), number=number_or_none))
    return CellJobs(jobs, lost, recorder.run_count, len(runs))


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
                dropped=dropped,
                number=number,
                is_of_gradient=number is None and moment not in shown,
            )
        )

    graphs = {id(moment.result): read(moment.result) for moment in moments}
    names: dict[Variable, str] = {}
    for moment in moments:
        names |= _gradient_names(graphs[id(moment.result)].graph, moment)
    for moment in shown:
        live = graphs[id(moment.result)]
        number = None if len(shown) == 1 else moment.number
        add(moment, named(live.graph, names, bound), number, dropped_gradients(live))
    seen = set(graphs)
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
    is_all = len(shown) == len(asked_for) < len(moments)
    ran = len(shown) if is_all else observer.pass_count
    return CellJobs(jobs, lost, ran, len(shown), more)


def gradients_to_show(recorded: Sequence[Recorded]) -> list[GradientToShow]:
    """Return the gradients of leaves that passes have made as Variables.

    Where they were left, it is what the leaves hold now.
    """
    found: dict[Variable, GradientToShow] = {}
    for number, one in enumerate(recorded, 1):
        names = {gradient: gradient_name(node.name) for node, gradient in (one.again or {}).items()}
        for node, gradient in (one.again or {}).items():
            result = node.variable.grad if one.job.write else gradient
            if node.kind == "leaf" and isinstance(result, Variable) and result.creator is not None:
                names[result] = gradient_name(node.name)
                is_alone = one.job.write or len(recorded) == 1
                found[result] = GradientToShow(result, names, None if is_alone else number)
    return list(found.values())


def job_of_gradient(gradient: GradientToShow, read: Read, namespace: Mapping[str, object]) -> Job:
    """Return the job of going back from the gradient of a leaf."""
    captured = read(gradient.result)
    graph = named(captured.graph, gradient.names, names_in(namespace))
    return Job(Captured(graph, None), number=gradient.number, is_of_gradient=True)


def _gradient_names(graph: Graph, moment: Moment) -> dict[Variable, str]:
    """Return what to call the gradients that a pass has left as Variables: ``x.grad``."""
    found = {}
    for node in graph.variables:
        again = moment.gradients.get(node.variable)
        gradient = node.variable.grad if again is None else again.result
        if moment.gradients and isinstance(gradient, Variable):
            found[gradient] = gradient_name(node.name)
    return found


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
