"""From a payload to HTML: a fragment for the notebook, or a page of its own for the web."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from html import escape
from typing import TYPE_CHECKING, Any

from ipygrad.show.front_end import front_end

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDINGS = (".html", ".htm")
MOST_STILL_ROWS = 200
"""Rows of the table that stands where no script runs."""

# Takes each copy of the fragment that is not live yet: "New view for output" makes a second one.
_START_FRAGMENT = """
const bytes = Uint8Array.from(atob("%(stream)s"), (letter) => letter.charCodeAt(0));
const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const { module, style, payload } = await new Response(unpacked).json();
const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
const { mount } = await import(url);
URL.revokeObjectURL(url);
for (const root of document.querySelectorAll('[data-ipygrad="%(id)s"]:not([data-ipygrad-live])')) {
  root.dataset.ipygradLive = "";
  const sheet = document.createElement("style");
  sheet.textContent = style;
  const stepper = document.createElement("div");
  root.replaceChildren(sheet, stepper);
  mount(stepper, payload, { id: "%(id)s" });
}
"""

_START_PAGE = """
const payload = JSON.parse(document.getElementById("payload").textContent);
const asked = () => Number(new URLSearchParams(location.hash.slice(1)).get("step") ?? NaN);
if (asked() >= 0) payload.start = Math.min(asked(), payload.steps.length - 1);
const stepper = mount(document.getElementById("stepper"), payload);
addEventListener("hashchange", () => asked() >= 0 && stepper.go(asked()));
"""

_PAGE = """<!DOCTYPE html>
<html lang="%(language)s">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%(policy)s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="ipygrad">
<title>%(title)s</title>
<style>%(style)s</style>
</head>
<body>
<div id="stepper">%(still)s</div>
<script type="application/json" id="payload">%(payload)s</script>
<script type="module">%(script)s</script>
</body>
</html>
"""

_PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 1rem auto; max-width: 76rem; padding: 0 1rem; background: Canvas; color: CanvasText;
}
"""


def to_json(value: object) -> str:
    """Return JSON that can stand inside a script element: no ``<`` and no line separators in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in ("<", "\u2028", "\u2029"):
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def still_html(payload: dict[str, Any], png: bytes) -> str:
    """Return the picture and the table that stand where no script runs."""
    source = base64.b64encode(png).decode("ascii")
    table = payload["table"]
    notices = "".join(f"<p>{escape(notice)}</p>" for notice in payload["notices"])
    return (
        f'{notices}<img alt="{escape(payload["title"])}" '
        f'src="data:image/png;base64,{source}">'
        f"<details><summary>{escape(payload['words'].get('table', ''))}</summary>"
        f"{_table(table['columns'], table['rows'][:MOST_STILL_ROWS])}</details>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def fragment(payload: dict[str, Any], png: bytes, stepper_id: str) -> str:
    """Return HTML for a notebook's output: the still picture, and a script that makes it live.

    Module, style and payload travel as one compressed stream. `stepper_id` is the only part that
    differs between two runs of one cell; it consists of letters and digits.
    """
    module, style = front_end()
    content = to_json({"module": module, "style": style, "payload": payload})
    # No time stamp: the same cell gives the same bytes.
    stream = base64.b64encode(gzip.compress(content.encode(), mtime=0)).decode("ascii")
    script = _START_FRAGMENT % {"stream": stream, "id": stepper_id}
    return (
        f'<div data-ipygrad="{stepper_id}">{still_html(payload, png)}</div>'
        f'<script type="module">{script}</script>'
    )


def page(payload: dict[str, Any], png: bytes) -> str:
    """Return a page that steps by itself, allowed to run its own script and nothing else."""
    module, style = front_end()
    script = module + _START_PAGE
    style += _PAGE_STYLE
    policy = (
        f"default-src 'none'; img-src data:; script-src '{_fingerprint(script)}'; "
        f"style-src '{_fingerprint(style)}'; base-uri 'none'; form-action 'none'"
    )
    return _PAGE % {
        "language": escape(payload["language"]),
        "policy": policy,
        "title": escape(payload["title"]),
        "style": style,
        "still": still_html(payload, png),
        "payload": to_json(payload),
        "script": script,
    }


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
