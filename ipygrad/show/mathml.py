"""Formulas as data: written, and read again where they are no larger than is stated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipygrad.explain.formulas.written import Written
from ipygrad.explain.typeset import Level

if TYPE_CHECKING:
    from ipygrad.explain.formula import Formula
    from ipygrad.explain.typeset import MathML
    from ipygrad.show.entries import Entry
    from ipygrad.show.payload import Json

LONGEST = 10_000
"""Letters of a formula as plain text, and of each text in its tree."""
MOST_NODES, MOST_DEPTH = 2_000, 50
"""Of the tree of a formula."""
TOKENS = ("mi", "mn", "mo", "mtext")
"""Elements that hold one text."""
SCHEMATA = {"mrow": None, "msqrt": 1, "msup": 2, "msub": 2, "mfrac": 2, "mroot": 2}
"""Elements that hold others, and how many; None for any number."""
LEVELS = {level.name.lower(): level for level in Level}


def formula_data(formula: Formula | None) -> Json | None:
    """Return a formula as `ipygrad.show.document` describes it; None for one that is too large."""
    if formula is None:
        return None
    written = Written.of(formula)
    if not _fits(written.text, written.tree):
        return None
    is_number = written.value is not None and np.ndim(written.value) == 0
    return {
        "text": written.text,
        "math": written.tree,
        "levels": [level.name.lower() for level in written.levels],
        "value": float(written.value) if is_number else None,
    }


def _fits(text: str, tree: MathML) -> bool:
    nodes, level = 0, [tree]
    texts = [text]
    for _ in range(MOST_DEPTH):
        texts += [node for node in level if isinstance(node, str)]
        nodes += len(level)
        level = [child for node in level if isinstance(node, list) for child in node[1:]]
        if nodes > MOST_NODES:
            break
    return not level and all(len(each) <= LONGEST for each in texts)


def read_formula(entry: Entry) -> Written:
    """Read a formula.

    Raises
    ------
    ValueError
        For a tag that is not in the list above, for one that holds what it cannot, and for what is
        larger than stated.
    """
    levels = [level.one_of(tuple(LEVELS)) for level in entry.field("levels").items(2)]
    value = entry.field("value").or_none(lambda number: number.number())
    text, tree = entry.field("text").text(LONGEST), entry.field("math")
    return Written(text, value, tree=_tree(tree), levels=(LEVELS[levels[0]], LEVELS[levels[1]]))


def _tree(root: Entry) -> MathML:
    nodes, level = 0, [root]
    for _ in range(MOST_DEPTH):
        nodes += len(level)
        if nodes > MOST_NODES:
            break
        level = [child for node in level for child in _children(node)]
        if not level:
            tree: MathML = root.value
            return tree
    raise root.fail(f"a formula of at most {MOST_NODES:,} elements, {MOST_DEPTH} within each other")


def _children(node: Entry) -> list[Entry]:
    """Return the elements and texts that an element holds, or raise what `read_formula` says."""
    if not isinstance(node.value, list):
        node.text(LONGEST)
        return []
    if not node.value:
        raise node.fail("a list that begins with a tag")
    tag, *children = node.items()
    name = tag.one_of((*TOKENS, *SCHEMATA))
    count = 1 if name in TOKENS else SCHEMATA[name]
    if count is not None and len(children) != count:
        raise node.fail(f"{name} with {count} of what it holds")
    if name in TOKENS:
        children[0].text(LONGEST)
    return children
