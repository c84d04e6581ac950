"""A backward pass as data that JSON can hold and `ipygrad.show.restore` reads again.

Every field is always there. ``Array`` below is a number for shape ``()``, else nested lists of
numbers, row by row; not-a-number and infinities, for which JSON has no numbers, are the texts
``"nan"``, ``"inf"`` and ``"-inf"``. Numbers have all their digits.

::

    version        1; it changes when a reader of this version could not read what is written
    digits         significant digits that are shown
    variables [    lists refer to a variable by its place here
      name         text
      kind         "leaf" | "constant" | "intermediate" | "result"
      value        Array
      shape        [whole number]
      dtype        "float16" | "float32" | "float64"
      creator      function that made it | null
      line         of the cell, where it was made | null ]
    functions [    lists refer to a function by its place here; inputs are made before outputs
      label        text
      inputs       [variable]
      outputs      [variable | null], null for one that was dropped
      generation   0 for a function of leaves only
      line         of the cell, where it was called | null
      source       the expression that called it | null ]
    results        [variable]: where the pass begins; several when there was no pass
    cotangent      Array, what the pass started with | null when there was none
    origin         "ones" | "by_hand" | "given": where that came from | null
    steps [        in the order of the pass
      index        1 for the first function's turn
      function     function
      cotangents   [Array], one for each output, of its shape
      local_derivatives
                   [Array | null], one for each input; null where it is not known
      contributions, before, after
                   [Array | null], one for each input, of its shape; before is null for "not yet"
      notes        [text]
      check
        status, reason, argnum, ratio, slip, slopes
                   as in `ipygrad.explain.check.Check`
        text       what it has shown, in words
      plots        what the plot is drawn from, one for each input: [Plot | null] | null when plots
                   were not asked for ]
    error          why the pass ended early, text | null
    failed         function that could not take its turn | null
    code           null | the cell's code
      first        number of its first line: 2, the magic's being 1; of a script 1
      lines        [text]
    notices        [text]: what is said above everything

A ``Plot`` has the fields of `ipygrad.explain.local.LocalDerivative`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipygrad.capture.backward import BareStep
    from ipygrad.explain.check import Check
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.show.payload import Json, Pass

VERSION = 1


def document(shown: Pass, notices: Iterable[str], *, plots: bool) -> Json:
    """Put a pass into the dict described above.

    Parameters
    ----------
    notices
        Those that do not follow from the pass itself.
    plots
        Whether to hold what plots are drawn from, some 8 kB for each input of each step.
    """
    graph, run = shown.graph, shown.run
    return {
        "version": VERSION,
        "digits": shown.words.digits,
        "variables": [
            {
                "name": node.name,
                "kind": node.kind,
                "value": plain(node.value),
                "shape": list(node.value.shape),
                "dtype": node.value.dtype.name if node.value.itemsize <= 8 else "float64",
                "creator": node.creator,
                "line": node.line,
            }
            for node in graph.variables
        ],
        "functions": [
            {
                "label": node.label,
                "inputs": list(node.inputs),
                "outputs": list(node.outputs),
                "generation": node.generation,
                "line": node.line,
                "source": node.source,
            }
            for node in graph.functions
        ],
        "results": list(graph.results),
        "cotangent": None if run is None else plain(run.cotangent),
        "origin": None if run is None else run.origin,
        "steps": [_step(shown, step, plots=plots) for step in shown.steps],
        "error": None if run is None or run.error is None else str(run.error),
        "failed": None if run is None else run.failed,
        "code": None
        if shown.code is None
        else {"first": shown.first_line, "lines": list(shown.code)},
        "notices": list(notices),
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
        "plots": [_plot(local) for local in found.local_derivatives(step)] if plots else None,
    }


def plain(value: np.ndarray | float | None) -> Any:
    """Return an Array as described above; None stays None."""
    if value is None:
        return None
    array = np.asarray(value, dtype=np.float64)
    numbers = array.tolist()
    return numbers if np.isfinite(array).all() else _with_words(numbers)


def _with_words(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_with_words(element) for element in numbers]
    return numbers if abs(numbers) < float("inf") else str(numbers)


def _check(check: Check) -> Json:
    return {
        "status": check.status,
        "reason": check.reason,
        "argnum": check.argnum,
        "ratio": plain(check.ratio),
        "slip": check.slip,
        "slopes": [plain(slope) for slope in check.slopes],
    }


def _plot(local: LocalDerivative | None) -> Json | None:
    if local is None:
        return None
    return {
        "kind": local.kind,
        "argnum": local.argnum,
        "label": local.label,
        "x_name": local.x_name,
        "y_name": local.y_name,
        "x": plain(local.x),
        "y": plain(local.y),
        "slope": plain(local.slope),
        "samples": {
            "u": plain(local.samples.u),
            "f": plain(local.samples.f),
            "slope": plain(local.samples.slope),
        },
        "arity": local.arity,
    }
