"""A backward pass from data that `ipygrad.show.document` wrote: checked first, never executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from ipygrad.capture.backward import BackwardRun, BareStep, Origin
from ipygrad.capture.graph import FunctionNode, Graph, VariableKind, VariableNode
from ipygrad.engine.core import BackwardError, Variable
from ipygrad.explain.check import Check, Reason, Slip, Status
from ipygrad.explain.local import LocalDerivative, Samples
from ipygrad.explain.restored import RestoredFindings, RestoredFunction, Stored
from ipygrad.explain.words import Words
from ipygrad.show.document import VERSION
from ipygrad.show.entries import Entry

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.explain.findings import Findings

MOST_DIGITS = 17
DTYPES = ("float16", "float32", "float64")


@dataclass(frozen=True, eq=False)
class Restored:
    """What a `BackwardPass` is made of."""

    graph: Graph
    run: BackwardRun | None
    findings: Findings
    code: tuple[str, ...] | None
    first_line: int
    notices: tuple[str, ...]
    digits: int


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
    graph = _graph(whole)
    run: BackwardRun | None = None
    stored: dict[int, Stored] = {}
    if whole.field("cotangent").value is not None:
        run, stored = _run(whole, graph)
    code = whole.field("code")
    return Restored(
        graph,
        run,
        RestoredFindings(graph, run, Words(digits=digits), stored),
        code.or_none(lambda entry: _texts(entry.field("lines"))),
        code.or_none(lambda entry: entry.field("first").whole(least=1)) or 2,
        _texts(whole.field("notices")),
        digits,
    )


def _texts(entry: Entry) -> tuple[str, ...]:
    return tuple(item.text() for item in entry.items())


# --- the graph ----------------------------------------------------------------------------------


def _graph(whole: Entry) -> Graph:
    variables, functions = whole.field("variables").items(), whole.field("functions").items()
    nodes = tuple(_variable(i, entry, len(functions)) for i, entry in enumerate(variables))
    made: dict[int, int] = {}
    function_nodes = tuple(_function(i, entry, nodes, made) for i, entry in enumerate(functions))
    for node, entry in zip(nodes, variables, strict=True):
        if made.get(node.index) != node.creator:
            raise entry.field("creator").fail("the function that has this variable as its output")
    results = whole.field("results")
    numbers = tuple(item.whole(len(nodes)) for item in results.items())
    if not numbers:
        raise results.fail("a list of variables")
    return Graph(nodes, function_nodes, numbers)


def _variable(index: int, entry: Entry, functions: int) -> VariableNode:
    shape = tuple(length.whole(2**31) for length in entry.field("shape").items())
    value = entry.field("value").array(shape, entry.field("dtype").one_of(DTYPES))
    name = entry.field("name").text()
    return VariableNode(
        index,
        name,
        value,
        cast("VariableKind", entry.field("kind").one_of(get_args(VariableKind))),
        entry.field("creator").or_none(lambda creator: creator.whole(functions)),
        entry.field("line").or_none(Entry.whole),
        Variable(value, name),
    )


def _function(
    index: int, entry: Entry, variables: tuple[VariableNode, ...], made: dict[int, int]
) -> FunctionNode:
    """Read a function, and note in `made` what it made."""
    inputs = []
    for item in entry.field("inputs").items():
        number = item.whole(len(variables))
        if variables[number].creator is not None and number not in made:
            raise item.fail("a leaf, or an output of a function that stands before this one")
        inputs.append(number)
    outputs = []
    for item in entry.field("outputs").items():
        output = item.or_none(lambda value: value.whole(len(variables)))
        if output in made:
            raise item.fail("a variable that no other function has made")
        if output is not None:
            made[output] = index
        outputs.append(output)
    label = entry.field("label").text()
    function = RestoredFunction(label)
    function.inputs = tuple(variables[number].variable for number in inputs)
    function.generation = entry.field("generation").whole()
    return FunctionNode(
        index,
        label,
        tuple(inputs),
        tuple(outputs),
        function.generation,
        entry.field("line").or_none(Entry.whole),
        entry.field("source").or_none(Entry.text),
        function,
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
        steps.append(_step(index, entry, node, graph))
        stored[index] = _stored(entry, node, graph)
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
    )


def _stored(entry: Entry, node: FunctionNode, graph: Graph) -> Stored:
    inputs = len(node.inputs)
    slopes = entry.field("local_derivatives")
    around = [graph.variables[v].value for v in (*node.inputs, *node.outputs) if v is not None]
    if len(node.outputs) != 1 or any(value.ndim for value in around):
        # Only a function of numbers has numbers as local derivatives.
        for item in slopes.items():
            item.one_of((None,))
    check = entry.field("check")
    plots = entry.field("plots").or_none(lambda entry: entry.items(inputs))
    return Stored(
        _numbers(slopes, inputs),
        _texts(entry.field("notes")),
        Check(
            cast("Status", check.field("status").one_of(get_args(Status))),
            cast("Reason | None", check.field("reason").one_of((None, *get_args(Reason)))),
            check.field("argnum").or_none(lambda argnum: argnum.whole(inputs)),
            check.field("ratio").or_none(Entry.number),
            cast("Slip | None", check.field("slip").one_of((None, *get_args(Slip)))),
            _numbers(check.field("slopes")),
        ),
        check.field("text").text(),
        (None,) * inputs if plots is None else tuple(plot.or_none(_plot) for plot in plots),
    )


def _numbers(entry: Entry, count: int | None = None) -> tuple[float | None, ...]:
    return tuple(item.or_none(Entry.number) for item in entry.items(count))


def _plot(entry: Entry) -> LocalDerivative:
    samples = entry.field("samples")
    count = len(samples.field("u").items())
    u, f, slope = (samples.field(name).array((count,)) for name in ("u", "f", "slope"))
    if not (np.isfinite(u).all() and (np.diff(u) >= 0).all()):
        raise samples.field("u").fail("a list of ascending numbers")
    arity = entry.field("arity").whole(least=1)
    kinds: tuple[Literal["curve"]] = ("curve",)
    return LocalDerivative(
        kind=entry.field("kind").one_of(kinds),
        argnum=entry.field("argnum").whole(arity),
        label=entry.field("label").text(),
        x_name=entry.field("x_name").text(),
        y_name=entry.field("y_name").text(),
        x=entry.field("x").number(),
        y=entry.field("y").number(),
        slope=entry.field("slope").number(),
        samples=Samples(u, f, slope),
        arity=arity,
    )
