"""From a job to the pass that is shown."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.capture.adapters.captured import Captured
from ipygrad.capture.backward import added_to, run_backward
from ipygrad.capture.names import gradient_name, names_in
from ipygrad.capture.own_runs import is_own, names_of_functions
from ipygrad.capture.quiet import quietly
from ipygrad.engine.core import Variable
from ipygrad.explain.lessons import describe_captured
from ipygrad.explain.words import Words
from ipygrad.magic.jobs import Job, named
from ipygrad.magic.passes import (
    describe_added,
    gradients_again,
    leave_gradients,
    own_pass,
    pass_in_order,
)
from ipygrad.magic.results import check_step_number, fitting_cotangent
from ipygrad.record import BackwardPass

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import VariableNode
    from ipygrad.magic.jobs import Read

    Again = dict[VariableNode, Variable]


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


def record(
    job: Job,
    options: Namespace,
    evaluate: Callable[[str, str], object],
    names: Mapping[str, object],
    *,
    is_first: bool,
) -> Recorded:
    """Run the pass of a job, and leave its gradients if that is to be.

    Parameters
    ----------
    options
        Of the magic.
    evaluate
        From an expression and the name of its option to its value.
    names
        The user's.
    is_first
        Whether ``--step`` is for it.
    """
    words = Words(options.language, options.precision)
    captured = job.captured
    graph, translation = captured
    cotangent: object = None if job.start is None else job.start[0]
    if options.cotangent is not None and not job.is_of_gradient:
        value = evaluate(options.cotangent, "--cotangent")
        cotangent = fitting_cotangent(value, graph, options.cotangent)
    # What the user's backward methods print is heard where they run as in result.backward().
    with nullcontext() if job.write and translation is None else quietly():
        right = run_backward(graph, cotangent)
    if job.start is not None and cotangent is job.start[0]:
        right = replace(right, origin=job.start[1])
    held = dict(job.held)
    again: Again = {}
    error: Exception | None = None
    if options.create_graph and right.error is None and not job.is_of_gradient:
        again, error = gradients_again(captured, right)
    if is_own(graph):
        functions = names_of_functions(names)
        run, notices = own_pass(captured, right, words, job.own, functions, write=job.write)
    else:
        run, notices = pass_in_order(graph, right, options.order, words)
    if is_first:
        check_step_number(options.step, run)
    if job.write and right.error is None and error is None and not is_own(graph):
        held |= leave_gradients(captured, right, again)
    if held and not is_own(graph):
        added = added_to(graph, right, held)
        notices += describe_added(words, graph, added, held)
        run = added if run is right else run
    return Recorded(
        job,
        run,
        describe_captured(words, captured) + notices,
        again,
        # A further pass that cannot be finished says so itself.
        None if job.is_of_gradient else run.error or error,
        right.error is None,
    )


def pass_of(
    recorded: Recorded,
    options: Namespace,
    code: tuple[str, ...] | None,
    start: int = 0,
    share: int = 1,
    untaken: tuple[int, ...] = (),
) -> BackwardPass:
    """Return what users hold.

    Parameters
    ----------
    options
        Of the magic.
    code
        The lines of the cell, None where there is none.
    start
        Step at which the stepper opens.
    share
        How many passes share a notebook's room for plots.
    untaken
        Lines of branches that the cell has not taken.
    """
    job = recorded.job
    return BackwardPass(
        job.captured.graph,
        recorded.run,
        code=code,
        notices=recorded.notices,
        digits=options.precision,
        language=options.language,
        checks=options.check,
        start=start,
        predict=options.predict,
        dropped=job.dropped if recorded.has_right_end else frozenset(),
        translation=job.stand_ins or job.captured.translation,
        untaken=untaken,
        number=job.number,
        share=share,
    )


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
