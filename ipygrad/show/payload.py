"""A backward pass as one JSON-safe dict: the contract between Python and the front end.

Everything that the stepper shows is in the payload, already in words; the front end draws, it does
not compute mathematics. All texts are plain text: they may hold any character and are never markup.

``Formula`` below is ``{"text": "2·b", "math": tree}``: plain text, and a tree of MathML, in which a
node is a text or ``[tag, child, ...]``, tag being one of mrow, mi, mn, mo, msup, msub, msubsup,
mfrac, msqrt, mroot, mtext and mover. ``Number`` is ``{"text": "2.568", "exact":
"2.568050833375483"}``: what is shown, and what a hover tells. ``null`` where a Number could stand
means "not yet" and is shown as a dash, never as 0.

::

    version        1
    title          "Backward pass of y"; names the stepper
    language       "en", that of all texts
    words          {key: text}, the texts of the interface, with {placeholders} in braces
    sentences      {key: text}, for the states of gradients in the same way: box_KEY stands in the
                   box of a variable, state_KEY in words, in variable_label
    interfaces     {language: {key: text}}, these in other languages: where none was asked for, the
                   browser's own takes the place of words
    start          number of the step that is shown first
    predict        bool: numbers are covered until the learner has made a prediction
    notices        [text], shown above everything: too large, cut short, an error
    code           null | the cell's code
      first        number of its first line: 2, the magic's being 1; of a script 1
      lines        [text]
      expressions  for each line [Part], a Part being a text or the expression of calls,
                   ["f3,f5", Part, ...]
      items        for each line the functions that it called, in the order of their steps:
                   "f5,f3"; "" for none
      untaken      [number of a line] of branches that the cell has not taken; none where that is
                   not known
    graph          where steps were cut, only what the kept ones touch
      untold       {"waiting", "rest": text}, what to say in the place of a chain that is absent:
                   while a kernel is asked, and where there is none; absent where no chain is
      variables [  lists refer to a variable by its place here
        name       text
        kind       "leaf" | "constant" | "intermediate" | "result"
        creator    function | null
        users      [function], those that use it, in the order of their turns
        value      Number; where there are steps without words, its place in numbers
        step       the one in which its gradient is complete | null where it gets none
        cut        how the leaf was cut from what computed it, "no_grad"; absent for others
        shape      of its value: "(4, 3)"; absent for a number
        states [   [step, key, number, arrived, expected] of its gradient, each from a step on,
                   the first from the start: key is "not_yet", "waiting", "arrived", "left_over",
                   "dropped", "unreached", "constant" or "cut", number a Number as in value, or
                   null; and how many contributions are in it, of how many ]
        chain      the chain rule for it | null for the result itself and where the pass does not
                   reach. In a folded graph leaves and names of the user's own have one, as far as
                   20 of them and 60,000 characters go; where it is absent, a kernel that is asked
                   for it sends it
          heading  Formula: ∂y/∂x
          paths    [Formula], one for each path from the result, those that contribute most first,
                   with factors: the edges of its derivatives in their order, ["v1 f1", "v0 f0"],
                   null for one that is not kept
          more     "and 14 more paths"; "" when all are there
          total    Formula: the sum over the paths | null for a single one
        elements   absent but for an array in a graph that is drawn whole
          columns  how many stand in a row
          texts    [text], one for each element in the order of C; none of more than 64
          more     "65 elements: …", where these are too many, and only there
          feeds    [["v0[2]"]], for each the elements that it was made of; none where nobody knows ]
      functions [  lists refer to a function by its place here
        label      text
        line       of the cell, where it was called | null
        source     the expression that called it | null
        turn       "turn 2 of 3 of the loop in line 4", of loops within each other the outermost
                   first; absent outside of loops, "" where it is not known
        inputs     [variable]
        outputs    [variable | null], null for one that was dropped
        step       number of the step in which it runs backward | null ]
      height       in px, that a graph keeps on the page in which groups can be opened; null for one
                   that is drawn whole
      open         [Item], the groups that are open at first. An Item is "v3", "f3" or "g3", a
                   variable, a function or a group; in the scene of group 3 stand, too, "i3", where
                   edges come in from outside, and "o3", where they go out
      groups [     the first is the whole graph; in it are no others where it is drawn whole, and no
                   items at all where it is too large even to be folded
        label      text | [key of a text of the interface, {placeholder: text}]
        shape      shape
        items      [Item], what stands in it directly ]
      shapes [     how the scenes of groups look while all groups in them are closed; many share one
        width, height
                   px
        boxes      [[left, middle, width, height]] in px, one for each item; i and o have no size, a
                   group is as wide as its column
        lines      [[tail, head, ports, turns, levels, bend, position, label, label_at]]: two items
                   by their places; where on their sides it ends, from 0 (the top) to 1; from where
                   to where it is level in each column between; how far down there; how far to the
                   side its steep parts stand, from -½ to ½ of a gap; which input or output of the
                   function it is; "(4, 3)", the shape that travels along it, "" for a number or
                   without room, and [x, y], the middle of that | null.
                   Of those that a group, i or o would have with one other item, there is one ] ]
    numbers        [Number], to which steps without words, and variables beside them, refer by place
    steps [        entry 0 is the start (dy/dy = 1), entry k the k-th function's turn
      function     function | null
      line         of the cell | null
      heading      "square: from y to b"
      status       "Step 2 of 3: …", what a screen reader announces
      products [   one for each input of the function; for the start one, without arriving and
                   local, or none when there was no pass
        variable   variable
        name       text
        constant   bool: no gradient is kept
        holds      bool: arriving × local is the contribution; a learner's backward may break it
        arriving   Number | null
        local      Number | null for the start; "a Jacobian" where it is not elementwise
        formula    Formula: the local derivative in the user's names | null
        equation   Formula: the whole product, in names and in numbers | null, also where backward
                   is wrong
        summed     null | where the input was repeated by broadcasting
          text     "summed over axis 0: (4, 3) → (3,)"
          before   Number: arriving × local, in the output's shape
        contribution, before, after
                   Number | null ]
      texts        {name: text}, of these five those that there are:
        sentence   what happens, for people
        notes      what is remarkable in it
        turns      why the function whose turn is next is the first one, then a line for each that
                   waits and one for the others
        check      what was compared, and what may have gone wrong
        source     of the backward that ran, with what its names held when it returned, where a user
                   wrote it
      check        "agrees" | "disagrees" | "not_checked" | null for the start, and where checks are
                   off
      parts        [text], what a screen reader announces of each part of the step but the last;
                   none for the start
      waiting      [function], who waits for a turn after this step: those that come first
      columns      number: of its plot, one for each product that is no constant; 0 where it has no
                   plot. Where no step has one, no room is kept
      plot         an SVG document as text, with these columns side by side | null (drawn on demand
                   by a kernel, or none) ]
                   Of a long pass most steps have only numbers, until a kernel that is asked for
                   their plots sends them in words, too: function, line, heading, columns and
      arriving     place in numbers
      products [   [variable, holds, local, contribution, before, after], from local on places in
                   numbers; null for what is not there, and of local for what takes long to find ]
    forward [      the calls of the forward pass, in their order, as steps that have no products,
                   notes or plots. They have
      factors      [[caption, Number, style]], of what it was given, of the function, and of what it
                   made, as they stand beside one another ]
                   Of a long computation most are the function alone, until a kernel that is asked
                   for their plots sends them in words
    sizes          how large the gradient is at each step | null for a short pass, and while numbers
                   are covered
      bars         for each step [number | null]: its size on a log scale from 0 to 1
      dead         [number of the step], where nothing gets through
      saturated    [number of the step], on the flat part of a curve
      text         all of it in words
    knobs [        numbers at the leaves that the reader may change, with a kernel; none where
                   functions cannot be called again, and while numbers are covered
      name         "x", or "w[0, 1]"
      value        number | null for one that is not finite
      bound        number: at first the knob goes from minus this to this ]
    knobs_more     "300 more numbers have no knob."; "" when all have
    room           kept for the steps, so that nothing jumps from one to the next
      styles       [of "pairs", "with-formulas", "with-equations", "with-subscripts"]: what products
                   come in or with
      counts       {"rows-of-one", "rows-of-pairs", "sums-of-one", "sums-of-pairs": number}: rows of
                   products, and sums over axes in them, one or two side by side
      texts        {name of a text: [the longest ones]}
    table
      columns      [text]
      rows         [[text]], one for each product of each step, constants left out; where there was
                   no pass, one for each variable
      row_steps    [number of the step], one for each row
      row_items    [Item or edge], what each row is about: "v3 f5" for a product
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf, isfinite, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.explain.loops import describe_loop_turns
from ipygrad.explain.numbers import shape_text
from ipygrad.explain.sizes import LONG_CURVES, MOST_CURVES, gradient_sizes
from ipygrad.show.arrange import Shape
from ipygrad.show.chains import all_chains, first_chains
from ipygrad.show.code import code_of
from ipygrad.show.elements import elements_of
from ipygrad.show.folding import fold
from ipygrad.show.forward import calls_of
from ipygrad.show.knobs import knobs_of
from ipygrad.show.room import room_of
from ipygrad.show.rows import table
from ipygrad.show.scenes import make_scenes
from ipygrad.show.states import STATE_TEXTS, arrivals, states
from ipygrad.show.steps import NumberList, lean_step, start_of, told_step, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
    from ipygrad.explain.findings import Findings
    from ipygrad.explain.words import Words
    from ipygrad.show.folding import Item
    from ipygrad.show.layout import GraphLayout

VERSION = 1
LEAST_BARS = 6
"""A pass of fewer steps is seen at a glance."""
MOST_LISTED = 6
"""Of the steps where gradients die, so many are listed."""
MOST_FOLDED = 100_000
"""Boxes of the largest graph that is folded; of a larger one there is the table."""
MOST_ROWS = 2_000
"""Steps in the table; of a graph without a pass variables."""
MOST_KINDS = 40
"""Of so many kinds of functions at most the first step is told in words."""
FOLDED_HEIGHT = (200.0, 420.0)
"""Least and most height of a folded graph on the page, px."""

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Pass:
    """All that is known about a backward pass: what every way of showing it starts from.

    Attributes
    ----------
    graph
        Of one result, or of several when there was no pass.
    run
        The pass, or None when the cell stopped before there was one.
    words
        The language and the number of digits.
    code
        Lines of the cell below the magic; None when it is not known.
    findings
        Slopes, checks and notes of each step.
    notices
        What is said above everything.
    first_line
        Number of the first line of the code; 1 for a script, which has no magic above it.
    dropped
        Numbers of the variables whose gradients the cell's own pass has dropped after use.
    untaken
        Lines of branches that the cell has not taken.
    number
        Of the pass among several, counted from 1; None where it needs none.
    """

    graph: Graph
    run: BackwardRun | None
    words: Words
    code: tuple[str, ...] | None
    findings: Findings
    notices: tuple[str, ...]
    first_line: int = 2
    dropped: frozenset[int] = frozenset()
    untaken: tuple[int, ...] = ()
    number: int | None = None

    @property
    def steps(self) -> tuple[BareStep, ...]:
        """The functions' turns."""
        return () if self.run is None else self.run.steps

    @property
    def title(self) -> str:
        """Name of the pass."""
        if self.run is None:
            return self.words("title_partial")
        result = self.graph.variables[self.graph.results[0]].name
        return self._numbered(self.words("title", result=result))

    @property
    def title_of_picture(self) -> str:
        """The same, where Hangul and Kana cannot be drawn."""
        return replace(self, words=self.words.of_pictures).title

    @property
    def name(self) -> str:
        """Name of the result, by which the pass is told from others."""
        return self._numbered(self.graph.variables[self.graph.results[0]].name)

    def _numbered(self, text: str) -> str:
        return text if self.number is None else f"{self.number}. {text}"


def make_payload(
    shown: Pass,
    layout: GraphLayout | None,
    *,
    plots: Mapping[int, str],
    texts: Sequence[str] = (),
    start: int = 0,
    predict: bool = False,
    most_steps: int | None = None,
    most_told: int | None = None,
) -> Json:
    """Put a pass into the dict described above.

    Parameters
    ----------
    layout
        None for a graph that is too large to be drawn whole.
    plots
        SVG documents by number of the step.
    texts
        What is shown as the value of each variable of a graph that is folded; nothing by default.
    start
        Step that is shown first.
    predict
        Cover numbers until they have been predicted.
    most_steps
        Leave later steps out.
    most_told
        Tell only so many steps in words, the first ones, and with them the one that is shown first
        and the first one of each kind of function; of the others there are numbers.
    """
    steps = shown.steps[:most_steps]
    words = shown.words
    told = told_numbers(shown, steps, most_told, start)
    lean = [step for step in steps if step.index not in told]
    shown.findings.slopes_of_numbers(lean)
    most_rows = None if most_steps is None else min(most_steps, MOST_ROWS)
    notices = list(shown.notices)
    if layout is None:
        notices += _too_large(shown, most_rows)
    if len(steps) < len(shown.steps):
        notices.append(words("notice_cut", shown=f"{len(steps):,}", steps=f"{len(shown.steps):,}"))
    if lean:
        notices.append(words("notice_lean", told=f"{most_told:,}", steps=f"{len(steps):,}"))
    if most_rows is not None and len(steps) > most_rows:
        notices.append(words("notice_table_cut", shown=f"{most_rows:,}"))
    kept = kept_parts(shown, most_steps)
    knobs, more = knobs_of(shown.graph) if shown.findings.can_replay and not predict else ([], 0)
    rows = table(shown, most_rows, told=told)
    forward = calls_of(shown, kept)
    numbers = NumberList(words)
    in_words = [start_of(shown, kept)]
    in_words += [
        told_step(shown, step, kept, plots.get(step.index)) for step in steps if step.index in told
    ]
    in_numbers = [lean_step(shown, step, kept, numbers) for step in lean]
    return {
        "version": VERSION,
        "title": shown.title,
        "language": words.language,
        "words": dict(words.interface),
        "sentences": {key: words.template(key) for key in STATE_TEXTS},
        "interfaces": {name: dict(texts) for name, texts in words.interfaces.items()},
        "start": start,
        "predict": predict,
        "notices": notices,
        "code": code_of(shown, steps, kept),
        "graph": {
            **_graph(shown, steps, kept, numbers if lean else None, is_whole=layout is not None),
            **_scenes(shown, layout, kept, texts),
        },
        "numbers": numbers.written,
        "steps": _in_order(in_words, in_numbers, told),
        "forward": forward,
        "room": room_of(in_words, in_numbers, [call for call in forward if isinstance(call, dict)]),
        "sizes": None if predict else _sizes(shown, steps, LONG_CURVES if lean else MOST_CURVES),
        "knobs": [
            {
                "name": knob.name,
                "value": knob.value if isfinite(knob.value) else None,
                "bound": knob.bound,
            }
            for knob in knobs
        ],
        "knobs_more": words("knobs_more", count=f"{more:,}") if more else "",
        "table": {
            "columns": list(rows.columns),
            "rows": [list(row) for row in rows.rows],
            "row_steps": list(rows.row_steps),
            "row_items": [_item_of(kept, *ends) for ends in rows.row_ends],
        },
    }


def _item_of(kept: Kept, variable: int | None, function: int | None) -> str:
    """Return the item, or the edge, of a variable and a function, None for none."""
    ends = {"v": kept.variables.get(variable), "f": kept.functions.get(function)}
    return " ".join(f"{kind}{number}" for kind, number in ends.items() if number is not None)


def told_numbers(
    shown: Pass, steps: Sequence[BareStep], most: int | None, start: int
) -> AbstractSet[int]:
    """Return the numbers of the steps that are told in words: see `make_payload`."""
    numbers = {step.index for step in steps[:most]}
    if len(numbers) < len(steps):
        labels = ((shown.graph.functions[step.function].label, step.index) for step in steps)
        of_each_kind = dict(reversed(list(labels)))
        numbers |= {start, *sorted(of_each_kind.values())[:MOST_KINDS]}
    return numbers


def _in_order(
    in_words: Sequence[Json], in_numbers: Sequence[Json], told: AbstractSet[int]
) -> list[Json]:
    """Put the steps that are told in words, and the start, among the others."""
    words, numbers = iter(in_words), iter(in_numbers)
    count = len(in_words) + len(in_numbers)
    return [next(words if k == 0 or k in told else numbers) for k in range(count)]


def _sizes(shown: Pass, steps: Sequence[BareStep], most_curves: int) -> Json | None:
    if shown.run is None or len(steps) < LEAST_BARS:
        return None
    sizes = gradient_sizes(
        shown.graph, shown.run.cotangent, steps, shown.findings, most_curves=most_curves
    )
    words = shown.words
    # What is smaller than the start of the scale by a bit has a bar all the same.
    span = sizes.high - sizes.low
    bars = [
        round((log10(size) - sizes.low) / span, 3) if 0 < size < inf else None
        for size in sizes.largest
    ]
    told = [words("sizes", low=f"{10.0**sizes.low:g}", high=f"{10.0**sizes.high:g}")]
    marked = {"dead": sizes.dead, "saturated": sizes.saturated}
    for key, numbers in marked.items():
        if numbers:
            listed = words("list").join(map(str, numbers[:MOST_LISTED]))
            more = len(numbers) - MOST_LISTED
            listed += words("sizes_more", count=f"{more:,}") if more > 0 else ""
            told.append(words(f"sizes_{key}", steps=listed))
    return {"bars": bars, **marked, "text": words("between").join(told)}


def _too_large(shown: Pass, most_rows: int | None) -> Iterator[str]:
    """Say that a graph is folded, or not even that, and whether the table has all variables."""
    graph, words = shown.graph, shown.words
    boxes = f"{len(graph.variables) + len(graph.functions):,}"
    yield words("notice_huge" if _is_huge(graph) else "notice_large", boxes=boxes)
    variables = sum(node.kind != "constant" for node in graph.variables)
    rows = len(range(variables)[:most_rows])
    if shown.run is None and rows < variables:
        yield words("notice_variables_cut", shown=f"{rows:,}", variables=f"{variables:,}")


def _is_huge(graph: Graph) -> bool:
    return len(graph.variables) + len(graph.functions) > MOST_FOLDED


class Kept(NamedTuple):
    """The parts of a graph that a payload keeps: from their numbers there to those in the payload.

    An absent creator or output, None, stays None; so does a creator that is not kept.
    """

    variables: dict[int | None, int]
    functions: dict[int | None, int]


def kept_parts(shown: Pass, most_steps: int | None) -> Kept:
    """Keep the whole graph or, where steps are cut, what the others touch.

    Of a graph without a pass at most as many functions are kept.
    """
    graph = shown.graph
    everything = range(len(graph.functions))
    functions = set(everything)
    if shown.run is None:
        functions = set(everything[:most_steps])
    elif len(shown.steps[:most_steps]) < len(shown.steps):
        functions = {step.function for step in shown.steps[:most_steps]}
    variables = set(range(len(graph.variables)))
    if len(functions) < len(everything):
        nodes = [graph.functions[number] for number in functions]
        touched = {v for node in nodes for v in (*node.inputs, *node.outputs) if v is not None}
        variables = touched | set(graph.results)
    return Kept(
        {number: place for place, number in enumerate(sorted(variables))},
        {number: place for place, number in enumerate(sorted(functions))},
    )


def _graph(
    shown: Pass,
    steps: Sequence[BareStep],
    kept: Kept,
    numbers: NumberList | None,
    *,
    is_whole: bool,
) -> Json:
    graph = shown.graph
    number = partial(written, shown.words) if numbers is None else numbers.place
    turn = {step.function: step.index for step in steps}
    arrived = arrivals(graph, shown.run, steps)
    users: dict[int, list[int]] = {}
    for node in sorted(graph.functions, key=lambda f: (turn.get(f.index, len(turn) + 1), f.index)):
        for used in dict.fromkeys(node.inputs) if node.index in kept.functions else ():
            users.setdefault(used, []).append(kept.functions[node.index])

    elements = elements_of(shown, kept) if is_whole else {}
    chains = all_chains(shown, kept) if is_whole else first_chains(shown, kept, arrived)
    turns = {node.turns for node in graph.functions}
    told = {of_node: describe_loop_turns(shown.words, of_node) for of_node in turns}

    def variable(node: VariableNode) -> Json:
        reached = arrived.get(node.index, [])
        # Of 10,000 variables, what none of them has would be a good part of the payload.
        more = {
            "cut": node.cut,
            "shape": shape_text(node.value.shape),
            "elements": elements.get(node.index),
        }
        return {
            "name": node.name,
            "kind": node.kind,
            "creator": kept.functions.get(node.creator),
            "users": users.get(node.index, []),
            "value": number(node.value),
            "step": reached[-1].step if reached else None,
            "states": states(node, reached, number, _dropped_at(shown, node, turn)),
            **({"chain": chains[node.index]} if node.index in chains else {}),
            **{key: value for key, value in more.items() if value},
        }

    def function(node: FunctionNode) -> Json:
        return {
            "label": node.label,
            "line": node.line,
            "source": node.source,
            **({"turn": told[node.turns]} if node.turns else {}),
            "inputs": [kept.variables[v] for v in node.inputs],
            "outputs": [kept.variables.get(v) for v in node.outputs],
            "step": turn.get(node.index),
        }

    texts = {key: shown.words(f"chain_{key}") for key in ("waiting", "rest")}
    return {
        **({"untold": texts} if len(chains) < len(graph.variables) else {}),
        "variables": [variable(v) for v in graph.variables if v.index in kept.variables],
        "functions": [function(f) for f in graph.functions if f.index in kept.functions],
    }


def _dropped_at(shown: Pass, node: VariableNode, turn: Mapping[int, int]) -> int | None:
    """Return the step that is the last to need a variable's gradient, where it goes then."""
    if node.index not in shown.dropped or node.creator is None:
        return None
    return turn.get(node.creator)


def _scenes(shown: Pass, layout: GraphLayout | None, kept: Kept, texts: Sequence[str]) -> Json:
    """Put a graph into scenes: one for a graph that is drawn whole."""
    graph = shown.graph
    if layout is not None or _is_huge(graph):
        numbered = (("v", graph.variables), ("f", graph.functions))
        items = [f"{kind}{node.index}" for kind, nodes in numbered for node in nodes]
        shape = Shape(0.0, 0.0, (), ()) if layout is None else layout.shape
        group = {"label": "", "shape": 0, "items": items if layout else []}
        return {"height": None, "open": [], "groups": [group], "shapes": [shape._asdict()]}
    folding = fold(graph, {number for number in kept.functions if number is not None})
    scenes = make_scenes(graph, folding, texts or [""] * len(graph.variables))
    numbers = {"v": kept.variables, "f": kept.functions}

    def written(item: Item) -> str:
        kind, number = item
        return f"{kind}{numbers[kind][number] if kind in numbers else number}"

    least, most = FOLDED_HEIGHT
    return {
        "height": min(max(scenes.height(), least), most),
        "open": [written(item) for item in folding.alone()],
        "groups": [
            {"label": group.label, "shape": shape, "items": [written(item) for item in items]}
            for group, (shape, items) in zip(folding.groups, scenes.of, strict=True)
        ],
        "shapes": [shape._asdict() for shape in scenes.shapes],
    }
