"""From a payload to HTML for the output of a notebook's cell."""

from __future__ import annotations

import base64
import gzip
import json
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.show.front_end import front_end

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL, QUICK_LEVEL = 6, 2
"""Of gzip: the highest takes three times as long for a twentieth less. In a notebook a pass that is
too long to be told in words is to open soon: a third of the time is worth a sixth more."""
MOST_STILL_ROWS = 200
"""Rows of the table that stands where no script runs."""

_UNPACK = """
const bytes = Uint8Array.from(atob("%(stream)s"), (letter) => letter.charCodeAt(0));
const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
"""

# Takes each copy of the fragment that is not live yet: "New view for output" makes a second one.
# Where the page shows none, hosts have put it into a shadow root, in which a module script has no
# other way to find its place.
_START_FRAGMENT = """const { module, style, passes } = await new Response(unpacked).json();
const ids = %(ids)s;
const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
const { mountAll } = await import(url);
URL.revokeObjectURL(url);
const copies = (tree) => {
  const found = [...tree.querySelectorAll('[data-ipygrad="%(id)s"]:not([data-ipygrad-live])')];
  const roots = found.length > 0 ? [] : [...tree.querySelectorAll("*")].map((e) => e.shadowRoot);
  return [...found, ...roots.filter(Boolean).flatMap(copies)];
};
for (const root of copies(document)) {
  root.dataset.ipygradLive = "";
  const sheet = document.createElement("style");
  sheet.textContent = style;
  const stepper = document.createElement("div");
  root.replaceChildren(sheet, stepper);
  mountAll(stepper, passes.map((pass, i) => ({ ...pass, id: ids[i] })));
}
"""


def to_json(value: object) -> str:
    """Return JSON that can stand inside a script element: no ``<`` and no line separators in it."""
    # Nothing in it holds itself, which to check takes a tenth of the time.
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
    )
    for letter in ("<", "\u2028", "\u2029"):
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def unpacking(content: dict[str, Any], level: int = LEVEL) -> str:
    """Return a script that leaves the JSON text of `content` in a stream called `unpacked`."""
    # No time stamp: the same cell gives the same bytes.
    packed = gzip.compress(to_json(content).encode(), level, mtime=0)
    return _UNPACK % {"stream": base64.b64encode(packed).decode("ascii")}


def html_text(text: str) -> str:
    """Return a text as HTML; no line is empty, since there Markdown would go on."""
    return escape(text).replace("\n", "&#10;")


def still_html(payload: dict[str, Any], png: bytes) -> str:
    """Return the picture and the table that stand where no script runs."""
    source = base64.b64encode(png).decode("ascii")
    table = payload["table"]
    notices = "".join(f"<p>{html_text(notice)}</p>" for notice in payload["notices"])
    return (
        f'{notices}<img alt="{html_text(payload["title"])}" '
        f'src="data:image/png;base64,{source}">'
        f"<details><summary>{html_text(payload['words'].get('table', ''))}</summary>"
        f"{_table(table['columns'], table['rows'][:MOST_STILL_ROWS])}</details>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html_text(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Tab(NamedTuple):
    """One pass of a fragment.

    Attributes
    ----------
    name
        What its tab is called, where there are several.
    payload
        What the stepper draws.
    png
        Its still picture.
    stepper_id
        What links it to the kernel: letters and digits, the only part that differs between two
        runs of one cell.
    """

    name: str
    payload: dict[str, Any]
    png: bytes
    stepper_id: str


def fragment(tabs: Sequence[Tab]) -> str:
    """Return HTML for a notebook's output: the still pictures, and a script that makes them live.

    Module, style and payloads travel as one compressed stream. Of several passes the script shows
    one at a time, in tabs; the pictures stand one below the other.
    """
    module, style = front_end()
    passes = [{"name": tab.name, "payload": tab.payload} for tab in tabs]
    # Of a long pass there are numbers in the place of words.
    level = QUICK_LEVEL if any(tab.payload["numbers"] for tab in tabs) else LEVEL
    unpack = unpacking({"module": module, "style": style, "passes": passes}, level)
    first = tabs[0].stepper_id
    start = _START_FRAGMENT % {"id": first, "ids": to_json([tab.stepper_id for tab in tabs])}
    stills = "".join(
        (f"<h4>{html_text(tab.payload['title'])}</h4>" if len(tabs) > 1 else "")
        + still_html(tab.payload, tab.png)
        for tab in tabs
    )
    return (
        f'<div data-ipygrad="{first}">{stills}</div><script type="module">{unpack}{start}</script>'
    )
