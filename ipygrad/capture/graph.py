"""From creator links to an immutable graph: numbered variables and functions, with names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ipygrad.capture.names import NoCallSites, names_in, numbered
from ipygrad.engine.core import Array, Constant, creator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ipygrad.capture.lines import LoopTurn
    from ipygrad.capture.names import CallSites
    from ipygrad.capture.observe import CallSite, Span
    from ipygrad.capture.stack import Made
    from ipygrad.engine.core import Function, Variable
    from ipygrad.engine.mode import Cut

VariableKind = Literal["leaf", "constant", "intermediate", "result"]
LONGEST_MADE_UP_NAME = 40


@dataclass(frozen=True, eq=False)
class VariableNode:
    """One variable of a graph.

    Attributes
    ----------
    index
        Its number: position in `Graph.variables`.
    name
        As the user wrote it: a name in the notebook, else the source of the expression that made
        it, else (for a constant) its value.
    value
        A copy of its data, taken when the graph was captured.
    kind
        ``"leaf"`` (nothing made it), ``"constant"`` (a plain number in a formula),
        ``"intermediate"`` or ``"result"``.
    creator
        Number of the function that made it, None for leaves and constants.
    line
        Line of the cell where it was made (the magic's line being 1), None where unknown.
    variable
        The live object.
    cut
        What made a leaf of it, though functions have computed it; None for others, and where that
        is not known.
    """

    index: int
    name: str
    value: Array
    kind: VariableKind
    creator: int | None
    line: int | None
    variable: Variable
    cut: Cut | None = None


@dataclass(frozen=True, eq=False)
class FunctionNode:
    """One function of a graph.

    Attributes
    ----------
    index
        Its number: position in `Graph.functions`; inputs are always made before outputs.
    label
        Its name for people: ``square``, or the class name of a user's function.
    inputs, outputs
        Numbers of variables; None stands for an output that the user has dropped. A variable used
        twice (``x * x``) is there twice.
    generation
        0 for a function of leaves only, else one more than the highest generation among its inputs'
        creators.
    line
        Line of the cell where it was called, None where unknown.
    source
        The expression that called it, None where unknown.
    function
        The live object.
    span
        Where in the cell that expression stands; None where unknown.
    made
        When it was called, and in which calls and turns of loops; None where unknown.
    """

    index: int
    label: str
    inputs: tuple[int, ...]
    outputs: tuple[int | None, ...]
    generation: int
    line: int | None
    source: str | None
    function: Function
    span: Span | None = None
    made: Made | None = None

    @property
    def turns(self) -> tuple[LoopTurn, ...]:
        """The turns of loops that it was called in, the outermost first, as far as known."""
        return () if self.made is None else self.made.turns


@dataclass(frozen=True, eq=False)
class Graph:
    """Which function made which variable, back from the results, in topological order."""

    variables: tuple[VariableNode, ...]
    functions: tuple[FunctionNode, ...]
    results: tuple[int, ...]

    @cached_property
    def uses(self) -> Counter[int]:
        """How often functions use each variable, by its number."""
        return Counter(x for node in self.functions for x in node.inputs)


def capture_graph(
    results: Sequence[Variable],
    namespace: Mapping[str, object] | None = None,
    sites: CallSites | None = None,
) -> Graph:
    """Read the graph of `results` off their creator links.

    Parameters
    ----------
    results
        Where to begin: one variable, or several for a picture without a backward pass.
    namespace
        Where the user's names stand.
    sites
        Who watched the functions being called, for lines, sources and further names.

    Raises
    ------
    TypeError
        When a creator is no `Function`.
    """
    functions = _in_topological_order(results)
    variables = _numbered_variables(results, functions)
    sites = sites or NoCallSites()
    made_at = {variable: sites.site_of(variable) for variable in variables}
    names = _names(variables, functions, namespace or {}, made_at)
    numbers = {id(function): number for number, function in enumerate(functions)}
    index = {variable: number for number, variable in enumerate(variables)}
    ends = set(results)

    def variable_node(number: int, variable: Variable) -> VariableNode:
        site, function = made_at[variable], variable.creator
        creator = None if function is None else numbers[id(function)]
        kind: VariableKind = "leaf" if creator is None else "intermediate"
        if isinstance(variable, Constant):
            kind = "constant"
        elif creator is not None and variable in ends:
            kind = "result"
        line = None if site is None else site.line
        value = variable.data.copy()
        name, cut = names[number], variable.cut
        return VariableNode(number, name, value, kind, creator, line, variable, cut)

    def function_node(number: int, function: Function) -> FunctionNode:
        made = function.outputs
        held = [y for y in made if y is not None]
        site = next((made_at[y] for y in held if made_at[y] is not None), None)
        return FunctionNode(
            index=number,
            label=function.label,
            inputs=tuple([index[x] for x in function.inputs]),
            outputs=tuple([None if y is None else index[y] for y in made]),
            generation=function.generation,
            line=None if site is None else site.line,
            source=None if site is None else site.source,
            function=function,
            span=None if site is None else site.span,
            made=sites.made_in(held[0]) if held else None,
        )

    return Graph(
        variables=tuple(variable_node(*pair) for pair in enumerate(variables)),
        functions=tuple(function_node(*pair) for pair in enumerate(functions)),
        results=tuple(index[result] for result in results),
    )


def inputs_first(ends: Iterable[Any], behind: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    """Yield `ends` and all that is behind them, inputs first, depth first; without recursion.

    Of several the last is gone to first. It must be kept while this goes on, since objects are told
    apart by their numbers.

    Parameters
    ----------
    ends
        Where to begin; None stands for nothing.
    behind
        Gives what is directly behind one of them.
    """
    seen: set[int] = set()
    waiting = [(end, False) for end in ends]
    while waiting:
        one, inputs_done = waiting.pop()
        if inputs_done:
            yield one
        elif one is not None and id(one) not in seen:
            seen.add(id(one))
            waiting.append((one, True))
            waiting.extend((before, False) for before in behind(one))


def _in_topological_order(results: Sequence[Variable]) -> list[Function]:
    """Return every function behind `results`, inputs first."""

    def creators(variables: Sequence[Variable]) -> Iterator[Function | None]:
        return map(creator_of, reversed(variables))

    return list(inputs_first(creators(results), lambda function: creators(function.inputs)))


def _numbered_variables(
    results: Sequence[Variable], functions: Sequence[Function]
) -> list[Variable]:
    ordered: dict[Variable, None] = {}
    for function in functions:
        for variable in (*function.inputs, *function.outputs):
            if variable is not None:
                ordered[variable] = None
    ordered.update(dict.fromkeys(results))
    return list(ordered)


def _names(
    variables: Sequence[Variable],
    functions: Sequence[Function],
    namespace: Mapping[str, object],
    made_at: Mapping[Variable, CallSite | None],
) -> list[str]:
    bound = names_in(namespace)
    arguments = _arguments(functions, made_at)
    names: dict[Variable, str] = {}
    for variable in variables:
        target = _target(variable, made_at[variable])
        # An alias of the user's may be older than the name that the call was assigned to.
        still = target if target and namespace.get(target) is variable else None
        names[variable] = (
            variable.name
            or still
            or bound.get(variable)
            or target
            or _name_by_origin(variable, made_at[variable], arguments, names)
        )
    distinct = numbered({v: name for v, name in names.items() if name != value_as_name(v.data)})
    return [distinct.get(variable, names[variable]) for variable in variables]


def _target(variable: Variable, site: CallSite | None) -> str | None:
    """Return what the call that made `variable` was assigned to, None where it was not."""
    if site is None or not site.targets or variable.creator is None:
        return None
    outputs = variable.creator.outputs
    position = [y is variable for y in outputs].index(True)
    if len(outputs) > 1 and len(site.targets) == 1:
        return f"{site.targets[0]}[{position}]"
    return site.targets[position] if position < len(site.targets) else None


def _name_by_origin(
    variable: Variable,
    site: CallSite | None,
    arguments: Mapping[Variable, str],
    names: Mapping[Variable, str],
) -> str:
    """Return the expression that made a variable; of a leaf its value or a call's argument."""
    creator = variable.creator
    if creator is None:
        is_constant = isinstance(variable, Constant)
        return value_as_name(variable.data) if is_constant else arguments.get(variable, "Variable")
    if site is not None and site.source is not None and len(creator.outputs) == 1:
        return site.source
    made_of = ", ".join(names[x] for x in creator.inputs[:4])
    expression = f"{creator.label}({made_of})"
    is_short = len(expression) <= LONGEST_MADE_UP_NAME and len(creator.inputs) <= 4
    return expression if is_short else f"{creator.label}(…)"


def _arguments(
    functions: Sequence[Function], made_at: Mapping[Variable, CallSite | None]
) -> dict[Variable, str]:
    """Return what calls in the cell call their arguments, for leaves whose name was rebound."""
    names: dict[Variable, str] = {}
    for function in functions:
        output = next((y for y in function.outputs if y is not None), None)
        site = None if output is None else made_at[output]
        if site is not None and len(site.arguments) == len(function.inputs):
            for x, argument in zip(function.inputs, site.arguments, strict=True):
                names.setdefault(x, argument)
    return names


def value_as_name(value: Array) -> str:
    """Return what stands for a variable that has no name."""
    if value.ndim == 0:
        return f"{value.item():.6g}"
    return f"array{value.shape}".replace(",)", ")")
