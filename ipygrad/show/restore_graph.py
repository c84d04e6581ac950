"""The graph of a document: who made what of what, and by which formulas it is differentiated."""

from __future__ import annotations

from typing import cast, get_args

from ipygrad.capture.graph import FunctionNode, Graph, VariableKind, VariableNode
from ipygrad.capture.lines import LoopTurn
from ipygrad.capture.observe import Span
from ipygrad.capture.stack import MOST_CALLS, Call, Made
from ipygrad.engine.core import Variable
from ipygrad.engine.mode import Cut
from ipygrad.explain.broadcasting import is_repeated
from ipygrad.explain.formulas import RULES
from ipygrad.explain.formulas.rule import Rule
from ipygrad.explain.formulas.written import RestoredFunction
from ipygrad.show.entries import Entry
from ipygrad.show.mathml import read_formula

DTYPES = ("float16", "float32", "float64")
ROLES = tuple(sorted({rule.role for rule in RULES.values()}))
MATRIX_ROLES = ("matmul", "linear")


def restore_graph(whole: Entry) -> Graph:
    """Read the graph of a whole document.

    Raises
    ------
    ValueError
        Where anything is missing or does not fit.
    """
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
        cast("Cut | None", entry.field("cut").one_of((None, *get_args(Cut)))),
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
    function = RestoredFunction(label, _rule(entry, inputs, outputs, variables))
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
        entry.field("range").or_none(_span),
        _made(entry),
    )


def _span(entry: Entry) -> Span:
    first_line, first_column, last_line, last_column = (item.whole() for item in entry.items(4))
    if (first_line, first_column) > (last_line, last_column):
        raise entry.fail("a range that does not end before it begins")
    return Span(first_line, first_column, last_line, last_column)


def _made(entry: Entry) -> Made | None:
    order = entry.field("order").or_none(Entry.whole)
    calls = tuple(_call(call) for call in entry.field("calls").items(most=MOST_CALLS))
    turns = tuple(_loop_turn(turn) for turn in entry.field("turns").items())
    return None if order is None else Made(order, calls, turns)


def _call(entry: Entry) -> Call:
    name, is_turn = entry.field("name"), entry.field("is_turn").one_of((True, False))
    if is_turn and not name.text().isdecimal():
        raise name.fail("the number of a turn")
    return Call(name.text(), entry.field("number").whole(), is_turn)


def _loop_turn(entry: Entry) -> LoopTurn:
    turn = entry.field("turn").whole(least=1)
    count = entry.field("of").or_none(lambda of: of.whole(least=turn))
    return LoopTurn(entry.field("line").whole(), turn, count)


def _rule(
    entry: Entry,
    inputs: list[int],
    outputs: list[int | None],
    variables: tuple[VariableNode, ...],
) -> Rule | None:
    role = entry.field("role").one_of((None, *ROLES))
    is_local = entry.field("is_local").one_of((True, False))
    items = entry.field("formulas").items(len(inputs))
    formulas = tuple(item.or_none(read_formula) for item in items)
    if role is None:
        return None
    if role in MATRIX_ROLES and len(inputs) < 2:
        raise entry.field("role").fail("that of a function of one input")
    shapes = [variables[x].value.shape for x in inputs]
    y_shapes = [variables[y].value.shape for y in outputs if y is not None]
    if is_local and not (len(outputs) == len(y_shapes) == 1 and is_repeated(*y_shapes, *shapes)):
        raise entry.field("is_local").fail("false for a function that is not elementwise")
    return Rule(role, lambda at: formulas[at.argnum], is_local)
