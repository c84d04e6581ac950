"""What all pictures share: the style, the colours, names that the font can draw, SVG.

Everything is drawn on `matplotlib.figure.Figure` objects, never through pyplot, so nobody's current
figure changes.
"""

from __future__ import annotations

import io
import re
import sys
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import font_manager

from ipygrad.explain.numbers import DIGITS, short
from ipygrad.show.sizes import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people who see few colours can tell apart.
BLUE, VERMILION, GREEN = "#0072b2", "#d55e00", "#009e73"
# For letters, which need a contrast of 4.5 to 1, on the tint of a result's box as well.
DARK_VERMILION, DARK_GREEN = "#a34600", "#00664b"
INK, GREY, PAPER = "#1f1f1f", "#8c8c8c", "#ffffff"


# What mathtext takes letters, fraction bars and brackets from, by the names that it asks for.
_MATH_FONTS = (
    *("DejaVu Sans", "DejaVu Sans:italic", "DejaVu Sans Display", "STIXGeneral", "cmsy10"),
    *(f"STIXSize{size}Sym" for size in ("One", "Two", "Three", "Four", "Five")),
)


@contextmanager
def own_style() -> Iterator[None]:
    """Give matplotlib the settings that the pictures need, whatever the user's are, for a while."""
    # The backend is the one setting that matplotlib would not put back.
    defaults: Any = {k: v for k, v in mpl.rcParamsDefault.items() if k != "backend"}
    own: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "ipygrad",
    }
    with mpl.rc_context({**defaults, **own}):
        try:
            yield
        finally:
            _forget_letters_of_formulas()


def _forget_letters_of_formulas() -> None:
    """Free what matplotlib keeps of each formula that it draws, 3 to 30 kB."""
    # A font keeps every glyph that was loaded until it is cleared, which nobody does for mathtext.
    for name in _MATH_FONTS:
        font_manager.get_font(font_manager.findfont(name)).clear()
    # To size brackets it makes fonts anew for each formula, and a cache on one of their methods
    # keeps them. These names are not for others to use: where one is gone, so may the cache be.
    with suppress(KeyError, AttributeError):
        sized = sys.modules["matplotlib._mathtext"].StixFonts.get_sized_alternatives_for_symbol
        sized.cache_clear()


def drawable(text: str, otherwise: str, columns: int = 18) -> str:
    """Return `text`, cut to a number of columns, or `otherwise` if the font lacks a letter.

    The font is the one of the settings in force: a user who has one with Hangul gets Hangul.
    """
    return shorten(text, columns) if has_glyphs(text) else otherwise


def has_glyphs(text: str) -> bool:
    """Tell whether the font of the settings in force has all letters of `text`."""
    glyphs = _glyphs(font_manager.findfont(font_manager.FontProperties()))
    return glyphs.issuperset(map(ord, text))


@lru_cache(maxsize=4)
def _glyphs(font: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(font).get_charmap())


def signed(number: float, digits: int = DIGITS) -> str:
    """Return a short number with a real minus sign."""
    return short(number, digits).replace("-", "\N{MINUS SIGN}")


def svg_of(figure: Figure) -> str:
    """Write a figure as SVG: for the same figure the same text.

    Letters stay letters, in the reader's own sans-serif font; coordinates are rounded to 0.01 pt.
    """
    written = io.StringIO()
    with own_style():
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", metadata=nothing)
    document = written.getvalue()
    document = re.sub(r"<[^<>]*>", _compact_tag, document[document.index("<svg") :])
    return re.sub(r">\s+<", "><", document)


def _compact_tag(match: re.Match[str]) -> str:
    # In SVG, < and > stand nowhere but around tags, so what users named something is not touched.
    tag = re.sub(r"\s+", " ", match[0]).replace(";base64, ", ";base64,")
    tag = re.sub(r'^<g id="[^"]*"', "<g", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    tag = tag.replace("'DejaVu Sans', sans-serif", "sans-serif")
    # An image of 4096 pixels would be out by as many times the rounding error of its scale.
    digits = 6 if tag.startswith("<image") else 2
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.{digits}f}", tag)
