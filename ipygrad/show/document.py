"""A backward pass as data that JSON can hold and `ipygrad.show.restore` reads again.

Every field is always there. ``Array`` below is a number for shape ``()``, else nested lists of
numbers, row by row; not-a-number and infinities, for which JSON has no numbers, are the texts
``"nan"``, ``"inf"`` and ``"-inf"``. Numbers have all their digits.

::

    version        1; it changes when a reader of this version could not read what is written
    digits         significant digits that are shown
language       of the notes and notices: "en" | "ja" | "ko" | "" for English where none was chosen
    variables [    lists refer to a variable by its place here
      name         text
      kind         "leaf" | "constant" | "intermediate" | "result"
      value        Array
      shape        [whole number]
      dtype        "float16" | "float32" | "float64"
      creator      function that made it | null
      line         of the cell, where it was made | null
      dropped      bool: the cell's own pass has dropped its gradient after use
      cut          "no_grad" | "detach" | "unchain": what made a leaf of it, which functions have
                   computed | null for any other, and where that is not known
      chain        the chain rule for it: Chain | null where the pass does not reach, and where
                   there are no chains ]
    has_chains     whether there are chains: in a graph that is small enough to be drawn
    functions [    lists refer to a function by its place here; inputs are made before outputs
      label        text
      inputs       [variable]
      outputs      [variable | null], null for one that was dropped
      generation   0 for a function of leaves only
      line         of the cell, where it was called | null
      source       the expression that called it | null
      range        where that stands: [first line, first column, last line, last column], lines as
                   in the cell, columns in characters from 0, the last one excluded | null
      order        how many others were made before | null where nobody watched
      calls [      in which calls and turns of loops it was called, the outermost first
        name       of the function or class; of a turn its number
        number     what tells it from the others of the cell
        is_turn    bool ]
      turns [      of loops, the outermost first
        line       of the cell, where the loop begins
        turn       from 1
        of         how many turns it had | null where that is not known ]
      role         what it does to gradients, such as "multiply" | null for a function of the user's
      is_local     whether formulas are local derivatives; else they are contributions
      formulas     [Formula | null], one for each input ]
    results        [variable]: where the pass begins; several when there was no pass
    cotangent      Array, what the pass started with | null when there was none
    origin         "ones" | "by_hand" | "given": where that came from | null
    steps [        in the order of the pass
      index        1 for the first function's turn
      function     function
      cotangents   [Array], one for each output, of its shape
      local_derivatives
                   [Array | null], one for each input: a number, or of an elementwise function an
                   array of the output's shape; null where it is not known
      contributions, before, after
                   [Array | null], one for each input, of its shape; before is null for "not yet"
      notes        [text]
      check
        status, reason, argnum, ratio, slip, slopes
                   as in `ipygrad.explain.check.Check`
        text       what it has shown, in words
      source       null where no user wrote the backward that ran |
        lines      [text]
        values     [{"name": text, "value": Array}], what its names held when it returned
      plots        what the plot is drawn from, one for each input: [Plot | null] | null when plots
                   were not asked for ]
    error          why the pass ended early, text | null
    failed         function that could not take its turn | null
    code           null | the cell's code
      first        number of its first line: 2, the magic's being 1; of a script 1
      lines        [text]
      untaken      [number of a line] of branches that the cell has not taken
    notices        [text]: what is said above everything

A ``Plot`` has the fields of `ipygrad.explain.local.LocalDerivative`, with Arrays; ``samples`` is
``{"u", "f", "slope"}`` or null, a mark ``{"kind", "where", "ratio"}``. A ``Formula`` is::

    text           in one line
    math           tree of MathML, see `ipygrad.show.mathml`
    levels         how tightly it holds together as text and typeset: two names of
                   `ipygrad.explain.typeset.Level` in lower case
    value          number | null for what is no number

A formula of more than 10,000 letters, 2,000 elements or 50 of them within each other is null, and
so is a chain with one. A ``Chain`` is::

    heading        Formula
    paths          [Formula], at most 8
    edges          for each path [[variable, variable]], the edge of each derivative in it: from the
                   output of a function to one of its inputs
    count          number of all paths
    more           text
    total          Formula | null
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygrad.capture.stack import Made
from ipygrad.explain.formulas import is_local, role_of
from ipygrad.explain.products import step_formula
from ipygrad.show.entries import plain
from ipygrad.show.mathml import formula_data
from ipygrad.show.plot_data import plot_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import FunctionNode
    from ipygrad.capture.sources import RunningSource
    from ipygrad.explain.chain import Chain
    from ipygrad.explain.check import Check
    from ipygrad.show.payload import Json, Pass

VERSION = 1


def document(shown: Pass, notices: Iterable[str], *, plots: bool, chains: bool) -> Json:
    """Put a pass into the dict described above.

    Parameters
    ----------
    notices
        Those that do not follow from the pass itself.
    plots
        Whether to hold what plots are drawn from, some 8 kB for each input of each step.
    chains
        Whether to hold the chain rule for each variable, some 2 kB for each path.
    """
    graph, run = shown.graph, shown.run
    turns = {step.function: step for step in shown.steps}
    return {
        "version": VERSION,
        "digits": shown.words.digits,
        "language": shown.words.chosen,
        "variables": [
            {
                "name": node.name,
                "kind": node.kind,
                "value": plain(node.value),
                "shape": list(node.value.shape),
                "dtype": node.value.dtype.name if node.value.itemsize <= 8 else "float64",
                "creator": node.creator,
                "line": node.line,
                "dropped": node.index in shown.dropped,
                "cut": node.cut,
                "chain": _chain(shown.findings.chain(node.index)) if chains else None,
            }
            for node in graph.variables
        ],
        "has_chains": chains,
        "functions": [_function(shown, node, turns.get(node.index)) for node in graph.functions],
        "results": list(graph.results),
        "cotangent": None if run is None else plain(run.cotangent),
        "origin": None if run is None else run.origin,
        "steps": [_step(shown, step, plots=plots) for step in shown.steps],
        "error": None if run is None or run.error is None else str(run.error),
        "failed": None if run is None else run.failed,
        "code": None
        if shown.code is None
        else {
            "first": shown.first_line,
            "lines": list(shown.code),
            "untaken": list(shown.untaken),
        },
        "notices": list(notices),
    }


def _function(shown: Pass, node: FunctionNode, turn: BareStep | None) -> Json:
    """Write a function; only one that had its turn has formulas."""
    role = role_of(node.function)
    contributions = [None] * len(node.inputs) if turn is None else turn.contributions
    made = node.made or Made(0)
    return {
        "label": node.label,
        "inputs": list(node.inputs),
        "outputs": list(node.outputs),
        "generation": node.generation,
        "line": node.line,
        "source": node.source,
        "range": None if node.span is None else list(node.span),
        "order": None if node.made is None else made.order,
        "calls": [call._asdict() for call in made.calls],
        "turns": [turn._asdict() for turn in made.turns],
        "role": None if role is None else role.removeprefix("role_"),
        "is_local": is_local(node.function),
        "formulas": [
            None
            if turn is None or contribution is None
            else formula_data(step_formula(shown.graph, turn, argnum))
            for argnum, contribution in enumerate(contributions)
        ],
    }


def _chain(chain: Chain | None) -> Json | None:
    if chain is None:
        return None
    heading, paths = formula_data(chain.heading), [formula_data(path) for path in chain.paths]
    total = formula_data(chain.total)
    if heading is None or None in paths or (total is None) != (chain.total is None):
        return None
    return {
        "heading": heading,
        "paths": paths,
        "edges": [[[edge.start, edge.end] for edge in edges] for edges in chain.edges],
        "count": chain.count,
        "more": chain.more,
        "total": total,
    }


def _step(shown: Pass, step: BareStep, *, plots: bool) -> Json:
    found = shown.findings
    return {
        "index": step.index,
        "function": step.function,
        "cotangents": [plain(value) for value in step.cotangents],
        "local_derivatives": [plain(slope) for slope in found.slopes(step)],
        "contributions": [plain(value) for value in step.contributions],
        "before": [plain(value) for value in step.before],
        "after": [plain(value) for value in step.after],
        "notes": list(found.notes(step)),
        "check": _check(found.check(step)) | {"text": found.verdict(step)},
        "source": None if step.source is None else _source(step.source),
        "plots": [plot_data(local) for local in found.local_derivatives(step)] if plots else None,
    }


def _source(source: RunningSource) -> Json:
    values = [{"name": name, "value": plain(value)} for name, value in source.values]
    return {"lines": list(source.lines), "values": values}


def _check(check: Check) -> Json:
    return {
        "status": check.status,
        "reason": check.reason,
        "argnum": check.argnum,
        "ratio": plain(check.ratio),
        "slip": check.slip,
        "slopes": [plain(slope) for slope in check.slopes],
    }
