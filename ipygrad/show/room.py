"""How much room the texts and products of a pass take: kept for all steps, so that none jumps."""

from __future__ import annotations

from heapq import nlargest
from math import ceil
from typing import TYPE_CHECKING, Any

from ipygrad.show.sizes import text_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Json = dict[str, Any]

LONGEST_TEXTS = 6
"""How many long texts are tried for room; which is highest depends on line breaks."""
MOST_PRODUCTS = 3
"""Products that are shown as boxes; those of a step that has more are lines of text."""
CONSTANT_ROW = 0.3
"""Height of a constant's line, as a share of a product's."""

SUBSCRIPTS = frozenset("₀₁₂₃₄₅₆₇₈₉")
"""Below the bar of a fraction they take room of their own."""

TEXTS = ("sentence", "notes", "turns", "check", "source")
"""Names of the texts of a step in the payload, which has a heading besides."""
_NO_WORDS = {"summed": None, "formula": None, "equation": None}


def room_of(steps: Sequence[Json], lean: Sequence[Json] = (), forward: Sequence[Json] = ()) -> Json:
    """Return the room that the steps of a payload need, as the payload describes it.

    Parameters
    ----------
    steps
        Those that are told in words.
    lean
        Those of which there are only numbers.
    forward
        The calls of the forward pass, which take one row each.
    """
    boxed = [step["products"] for step in steps if len(step["products"]) <= MOST_PRODUCTS]
    # Of many steps few have other products than those before.
    constants = {tuple(product[3] is None for product in step["products"]) for step in lean}
    boxed += [
        [{"constant": is_constant, **_NO_WORDS} for is_constant in products]
        for products in constants
        if len(products) <= MOST_PRODUCTS
    ]

    def most(size: Callable[[Json], float]) -> float:
        return max((sum(map(size, products)) for products in boxed), default=0)

    calls = min(len(forward), 1)
    count, sums = max(most(lambda _: 1), calls), most(lambda product: product["summed"] is not None)
    pairs = ceil(count / 2)
    styles = {
        "pairs": count > 1,
        "with-formulas": most(lambda product: product["formula"] is not None),
        "with-equations": most(lambda product: product["equation"] is not None),
        "with-subscripts": most(lambda product: _has_subscript(product["equation"])),
    }
    return {
        "styles": [name for name, is_needed in styles.items() if is_needed],
        "counts": {
            "rows-of-one": max(
                most(lambda product: CONSTANT_ROW if product["constant"] else 1), calls
            ),
            "rows-of-pairs": pairs,
            "sums-of-one": sums,
            "sums-of-pairs": min(sums, pairs),
        },
        "texts": {
            "heading": _longest(step["heading"] for step in (*steps, *forward, *lean)),
            **{
                name: _longest(step["texts"].get(name, "") for step in (*steps, *forward))
                for name in TEXTS
            },
        },
    }


def _has_subscript(equation: Json | None) -> bool:
    return equation is not None and not SUBSCRIPTS.isdisjoint(equation["text"])


def _longest(texts: Iterable[str]) -> list[str]:
    return nlargest(LONGEST_TEXTS, filter(None, dict.fromkeys(texts)), key=text_columns)
