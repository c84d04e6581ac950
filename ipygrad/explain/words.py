"""Steps in words: from a record to message keys and values, and from these to sentences."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ipygrad.explain.formulas import is_local, role_of
from ipygrad.explain.numbers import DIGITS, shape_text, short
from ipygrad.explain.products import (
    LONGEST_FORMULA,
    is_written_out,
    output_names,
    product_holds,
    step_formula,
    summed_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.products import Slope

FOLDER = resources.files("ipygrad.explain") / "languages"
LANGUAGES = tuple(
    sorted(file.name[:-5] for file in FOLDER.iterdir() if file.name.endswith(".json"))
)
"""Languages that have a table."""
ENGLISH = "en"
"""What is spoken where no language is chosen, and in pictures: matplotlib's own font has neither
Hangul nor Kana."""
CHANGES = {"first": "added_first", "added": "added", "replaced": "replaced"}


class Words:
    """The message table of one language.

    Parameters
    ----------
    language
        One of `LANGUAGES`; empty where none is chosen: sentences are English then.
    digits
        Significant digits of the numbers in sentences.

    Attributes
    ----------
    chosen
        The language that was asked for, or an empty string.

    Raises
    ------
    ValueError
        For a language that has no table.
    """

    def __init__(self, language: str = "", digits: int = DIGITS) -> None:
        if language and language not in LANGUAGES:
            known = " or ".join([", ".join(map(repr, LANGUAGES[:-1])), repr(LANGUAGES[-1])])
            raise ValueError(f"language is {known}, not {language!r}")
        self.chosen = language
        self.language = language or ENGLISH
        self.digits = digits
        self._table = _table(self.language)

    @property
    def interface(self) -> Mapping[str, str]:
        """Texts of the controls, for the front end."""
        interface: Mapping[str, str] = self._table["interface"]
        return interface

    @property
    def interfaces(self) -> Mapping[str, Mapping[str, str]]:
        """The same in all other languages, for a page whose reader's browser may choose.

        There are none where a language was asked for.
        """
        others = () if self.chosen else (name for name in LANGUAGES if name != self.language)
        return {name: _table(name)["interface"] for name in others}

    @property
    def of_pictures(self) -> Words:
        """The words that stand in pictures, with as many digits."""
        return Words(ENGLISH, self.digits)

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence `key` with its placeholders filled in."""
        return str(self._table["sentences"][key]).format(**values)

    def template(self, key: str) -> str:
        """Return the sentence `key` with its placeholders."""
        return self._table["sentences"][key]

    def number(self, value: Array | float | None) -> str:
        """Return a number as sentences show it."""
        return short(value, self.digits)

    def join(self, sentences: Iterable[str]) -> str:
        """Put sentences one after the other: between those of Japanese there is no space."""
        return self("between").join(sentences)

    def enumerate(self, items: Sequence[str], last: str = "and") -> str:
        """Join names as the language does: a, b and c."""
        if len(items) < 2:
            return "".join(items)
        return self("list").join(items[:-1]) + self(last) + items[-1]


@lru_cache
def _table(language: str) -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return table


@dataclass(frozen=True)
class StepWords:
    """What is said about one step.

    Attributes
    ----------
    heading
        ``exp: from b to a``.
    sentence
        What happens, for somebody who reads.
    status
        The same in short, for somebody who listens; begins with ``Step 2 of 3``.
    parts
        What to say of it while it is not complete: of local derivatives, then of products.
    """

    heading: str
    sentence: str
    status: str
    parts: tuple[str, ...] = ()


def describe_start(words: Words, graph: Graph, run: BackwardRun | None) -> StepWords:
    """Say where the first gradient comes from; without a run, why there is none."""
    if run is None:
        sentence = words("start_partial")
        return StepWords(words("title_partial"), sentence, words("start_partial_status"))
    result = graph.variables[graph.results[0]].name
    cotangent = words.number(run.cotangent)
    is_ones = bool(np.all(run.cotangent == 1))
    key = {"by_hand": "start_by_hand", "given": "start_cotangent"}.get(run.origin, "start_one")
    if key == "start_one" and run.cotangent.ndim:
        key = "start_ones" if is_ones else "start_cotangent"
    sentence = words(key, result=result, cotangent=cotangent, shape=shape_text(run.cotangent.shape))
    status = words("start_status", count=len(run.steps), result=result, cotangent=cotangent)
    return StepWords(words("start_heading", result=result), sentence, status)


def describe_step(
    words: Words,
    graph: Graph,
    step: BareStep,
    count: int,
    slopes: Sequence[Slope],
) -> StepWords:
    """Say what one function's turn does to the gradient.

    Parameters
    ----------
    count
        Number of steps in all.
    slopes
        Local derivative for each input: a number, an array of the output's shape for an elementwise
        function, or None.
    """
    node = graph.functions[step.function]
    heading = describe_turn(words, graph, step)
    sentences = [_arrival(words, graph, node, step)]
    role = role_of(node.function)
    if role is not None:
        sentences.append(words(role, function=node.label))
    products = [_product(words, graph, step, argnum, slope) for argnum, slope in enumerate(slopes)]
    sentences += [product.sentence for product in products]
    products = [product for product in products if product.status]
    status = words(
        "status",
        index=step.index,
        count=count,
        heading=heading,
        products="; ".join(product.status for product in products),
    )
    parts = tuple(
        words("status_part", index=step.index, part=part, products="; ".join(said))
        for part, said in (
            (1, [product.local for product in products]),
            (2, [product.contribution for product in products]),
        )
    )
    return StepWords(heading, words.join(sentences), status, parts)


def describe_turn(words: Words, graph: Graph, step: BareStep) -> str:
    """Say whose turn it is, from what to what: the heading of a step."""
    node = graph.functions[step.function]
    inputs = dict.fromkeys(
        graph.variables[v].name
        for v, c in zip(node.inputs, step.contributions, strict=True)
        if c is not None
    )
    return words(
        "heading",
        function=node.label,
        outputs=words.enumerate(output_names(graph, node)),
        inputs=words.enumerate(list(inputs)) or words("constants"),
    )


def _arriving(graph: Graph, node: FunctionNode, step: BareStep) -> list[tuple[str, Array]]:
    return list(zip(output_names(graph, node), step.cotangents, strict=True))


def _arrival(words: Words, graph: Graph, node: FunctionNode, step: BareStep) -> str:
    arriving = [(name, words.number(value)) for name, value in _arriving(graph, node, step)]
    if len(arriving) == 1:
        name, value = arriving[0]
        return words("arriving_one", output=name, arriving=value)
    items = [words("arriving_item", output=name, arriving=value) for name, value in arriving]
    return words("arriving_many", arriving=words.enumerate(items))


class _ProductWords(NamedTuple):
    """What is said of one input: in the sentence, and, where it is no constant, in the statuses."""

    sentence: str
    status: str = ""
    local: str = ""
    contribution: str = ""


def _product(
    words: Words, graph: Graph, step: BareStep, argnum: int, slope: Slope
) -> _ProductWords:
    """Say what happens to one input."""
    node = graph.functions[step.function]
    name = graph.variables[node.inputs[argnum]].name
    contribution = step.contributions[argnum]
    before, after = step.before[argnum], step.after[argnum]
    if contribution is None:
        return _ProductWords(words("constant", input=name))
    values = {
        "function": node.label,
        "input": name,
        "arriving": words.number(step.cotangents[0]),
        "local": words("jacobian") if slope is None else words.number(slope),
        "contribution": words.number(contribution),
        "shape": shape_text(contribution.shape) or "()",
        "before": words.number(before),
        "after": words.number(after),
    }
    first = before is None
    change = "first" if first else "replaced" if is_replaced(step, argnum) else "added"
    factors = _factors(words, graph, step, argnum, slope, values)
    sentence = words.join([factors, words(CHANGES[change], **values)])
    values["added"] = words(f"status_{change}", **values)
    return _ProductWords(
        sentence,
        words("status_array" if slope is None else "status_product", **values),
        words("status_local", **values),
        words("status_contribution", **values),
    )


def is_replaced(step: BareStep, argnum: int) -> bool:
    """Tell whether a contribution took the place of what was there, as in no right pass."""
    before, after = step.before[argnum], step.after[argnum]
    contribution = step.contributions[argnum]
    if before is None or after is None or contribution is None:
        return False
    return not np.allclose(after, before + contribution, 1e-9, 0, equal_nan=True)


def _factors(
    words: Words,
    graph: Graph,
    step: BareStep,
    argnum: int,
    slope: Slope,
    values: Mapping[str, str],
) -> str:
    """Say what the contribution to one input is made of."""
    node = graph.functions[step.function]
    formula = step_formula(graph, step, argnum)
    if formula is not None and len(formula.text) > LONGEST_FORMULA:
        formula = None
    if slope is None:
        if formula is None:
            return words("product_array", **values)
        shapes = _shapes(words, node, step, argnum, values)
        return words("product_formula", **{**values, "formula": formula.text, "shapes": shapes})
    if not product_holds(step, argnum, slope):
        return words("product_differs", **values)
    local = values["local"]
    if formula is not None and is_local(node.function):
        is_number = is_written_out(formula) or formula.text == local
        local = formula.text if is_number else f"{formula.text} = {local}"
    summed = summed_text(words, step, argnum)
    key = "product_elementwise" if np.ndim(slope) else "product"
    key = "product_summed" if summed else key
    return words(key, **{**values, "local": local, "summed": summed})


def _shapes(
    words: Words, node: FunctionNode, step: BareStep, argnum: int, values: Mapping[str, str]
) -> str:
    """Say what shape a contribution has; of a matrix product, how the shapes of the factors fit."""
    gy = step.cotangents[0].shape
    if role_of(node.function) in ("role_matmul", "role_linear") and argnum < 2:
        other = node.function.inputs[1 - argnum].data.shape
        if len(gy) == len(other) == 2:
            left, right = (gy, other[::-1]) if argnum == 0 else (other[::-1], gy)
            key = "shapes_only" if len({*gy, *other}) == 3 else "shapes"
            return words(key, left=left, right=right, product=(left[0], right[1]))
    return words("of_shape", shape=values["shape"])
