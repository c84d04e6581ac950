"""A backward pass from data that `ipygrad.show.document` wrote: checked first, never executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from ipygrad.capture.backward import BackwardRun, BareStep, Origin
from ipygrad.capture.sources import RunningSource
from ipygrad.engine.errors import BackwardError
from ipygrad.explain.broadcasting import is_repeated
from ipygrad.explain.chain import Chain
from ipygrad.explain.check import Check, Reason, Slip, Status
from ipygrad.explain.paths import MOST_PATHS, Edge
from ipygrad.explain.restored import RestoredFindings, Stored
from ipygrad.explain.words import LANGUAGES, Words
from ipygrad.show.document import VERSION
from ipygrad.show.entries import Entry
from ipygrad.show.mathml import read_formula
from ipygrad.show.plot_data import Site, read_plot
from ipygrad.show.restore_graph import restore_graph

if TYPE_CHECKING:
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.findings import Findings
    from ipygrad.explain.products import Slope

MOST_DIGITS = 17


@dataclass(frozen=True, eq=False)
class Restored:
    """What a `BackwardPass` is made of."""

    graph: Graph
    run: BackwardRun | None
    findings: Findings
    code: tuple[str, ...] | None
    first_line: int
    untaken: tuple[int, ...]
    dropped: frozenset[int]
    notices: tuple[str, ...]
    digits: int
    language: str


def restore(data: object) -> Restored:
    """Read what `ipygrad.show.document.document` wrote.

    Raises
    ------
    ValueError
        For another version, and where anything is missing or does not fit; the sentence names the
        place.
    """
    whole = Entry(data)
    version = whole.field("version").whole()
    if version != VERSION:
        raise ValueError(
            f"from_dict reads version {VERSION} of the data, but this has version {version}: "
            "read it with the version of ipygrad that wrote it"
        )
    digits = whole.field("digits").whole(MOST_DIGITS + 1, least=1)
    language = whole.field("language").one_of(("", *LANGUAGES))
    graph = restore_graph(whole)
    run: BackwardRun | None = None
    stored: dict[int, Stored] = {}
    if whole.field("cotangent").value is not None:
        run, stored = _run(whole, graph)
    code = whole.field("code")
    return Restored(
        graph,
        run,
        RestoredFindings(graph, run, Words(language, digits), stored, _chains(whole)),
        code.or_none(lambda entry: _texts(entry.field("lines"))),
        code.or_none(lambda entry: entry.field("first").whole(least=1)) or 2,
        code.or_none(_untaken) or (),
        _dropped(whole),
        _texts(whole.field("notices")),
        digits,
        language,
    )


def _texts(entry: Entry) -> tuple[str, ...]:
    return tuple(item.text() for item in entry.items())


def _untaken(code: Entry) -> tuple[int, ...]:
    first = code.field("first").whole(least=1)
    end = first + len(code.field("lines").items())
    return tuple(line.whole(end, least=first) for line in code.field("untaken").items())


def _dropped(whole: Entry) -> frozenset[int]:
    fields = [variable.field("dropped") for variable in whole.field("variables").items()]
    return frozenset(i for i, field in enumerate(fields) if field.one_of((True, False)))


def _chains(whole: Entry) -> tuple[Chain | None, ...] | None:
    has_chains = whole.field("has_chains").one_of((True, False))
    fields = [variable.field("chain") for variable in whole.field("variables").items()]
    chains = tuple(field.or_none(lambda entry: _chain(entry, len(fields))) for field in fields)
    return chains if has_chains else None


def _chain(entry: Entry, variables: int) -> Chain:
    paths = entry.field("paths").items(most=MOST_PATHS)

    def edge(ends: Entry) -> Edge:
        start, end = (number.whole(below=variables) for number in ends.items(count=2))
        return Edge(start, end, None)

    edges = entry.field("edges").items(count=len(paths))
    return Chain(
        read_formula(entry.field("heading")),
        tuple(read_formula(path) for path in paths),
        tuple(tuple(edge(ends) for ends in path.items()) for path in edges),
        entry.field("count").whole(least=len(paths)),
        entry.field("more").text(),
        entry.field("total").or_none(read_formula),
    )


# --- the pass -----------------------------------------------------------------------------------


def _run(whole: Entry, graph: Graph) -> tuple[BackwardRun, dict[int, Stored]]:
    (result, *others) = graph.results
    if others or graph.variables[result].creator is None:
        raise whole.field("results").fail("the one variable that the pass went back from")
    steps, stored = [], {}
    for position, entry in enumerate(whole.field("steps").items()):
        node = graph.functions[entry.field("function").whole(len(graph.functions))]
        index = entry.field("index").whole(position + 2, least=position + 1)
        step = _step(index, entry, node, graph)
        steps.append(step)
        stored[index] = _stored(entry, node, graph, step)
    failed = whole.field("failed").or_none(lambda entry: entry.whole(len(graph.functions)))
    message = whole.field("error").or_none(Entry.text)
    error = None
    if message is not None:
        error = BackwardError(message, graph.functions[failed or 0].function)
    origin = cast("Origin", whole.field("origin").one_of(get_args(Origin)))
    start = _like(whole.field("cotangent"), graph.variables[result].value)
    return BackwardRun(start, tuple(steps), error, failed, origin), stored


def _like(entry: Entry, value: Array) -> Array:
    return entry.array(value.shape, value.dtype)


def _step(index: int, entry: Entry, node: FunctionNode, graph: Graph) -> BareStep:
    inputs = [graph.variables[number].value for number in node.inputs]
    outputs = [None if y is None else graph.variables[y].value for y in node.outputs]
    arriving = entry.field("cotangents").items(len(outputs))

    def for_inputs(name: str) -> tuple[Array | None, ...]:
        items = entry.field(name).items(len(inputs))
        return tuple(
            None if item.value is None else _like(item, x)
            for item, x in zip(items, inputs, strict=True)
        )

    contributions, after = for_inputs("contributions"), for_inputs("after")
    if any(c is not None and a is None for c, a in zip(contributions, after, strict=True)):
        raise entry.field("after").fail("a gradient for each input that has a contribution")
    return BareStep(
        index,
        node.index,
        tuple(
            item.array_of_any_shape() if y is None else _like(item, y)
            for item, y in zip(arriving, outputs, strict=True)
        ),
        contributions,
        for_inputs("before"),
        after,
        source=entry.field("source").or_none(_source),
    )


def _source(entry: Entry) -> RunningSource:
    values = tuple(
        (item.field("name").text(), item.field("value").array_of_any_shape())
        for item in entry.field("values").items()
    )
    return RunningSource(_texts(entry.field("lines")), values)


def _stored(entry: Entry, node: FunctionNode, graph: Graph, step: BareStep) -> Stored:
    xs = [graph.variables[number].value for number in node.inputs]
    slopes = entry.field("local_derivatives").items(len(xs))
    shapes = [x.shape for x in xs]
    if len(step.cotangents) != 1 or not is_repeated(step.cotangents[0].shape, *shapes):
        for item in slopes:
            item.one_of((None,))
    check = entry.field("check")
    status = cast("Status", check.field("status").one_of(get_args(Status)))
    plots = entry.field("plots").or_none(lambda entry: entry.items(len(xs)))
    return Stored(
        tuple(item.or_none(lambda item: _slope(item, step.cotangents[0])) for item in slopes),
        _texts(entry.field("notes")),
        Check(
            status,
            cast("Reason | None", check.field("reason").one_of((None, *get_args(Reason)))),
            check.field("argnum").or_none(lambda argnum: argnum.whole(len(xs))),
            check.field("ratio").or_none(Entry.number),
            cast("Slip | None", check.field("slip").one_of((None, *get_args(Slip)))),
            _numbers(check.field("slopes"), len(xs) if status == "disagrees" else None),
        ),
        check.field("text").text(),
        None
        if plots is None
        else tuple(
            None if plot.value is None else read_plot(plot, Site(i, len(xs), x, step.cotangents))
            for i, (plot, x) in enumerate(zip(plots, xs, strict=True))
        ),
    )


def _slope(entry: Entry, arriving: Array) -> Slope:
    return entry.array(arriving.shape) if arriving.ndim else entry.number()


def _numbers(entry: Entry, count: int | None = None) -> tuple[float | None, ...]:
    return tuple(item.or_none(Entry.number) for item in entry.items(count))
