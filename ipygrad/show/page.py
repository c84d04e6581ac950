"""From payloads to a page of its own, for a course site or a mail."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.show.front_end import front_end
from ipygrad.show.html import still_html, unpacking

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDINGS = (".html", ".htm")
LICENCE = "Made with ipygrad, © 2026 The ipygrad developers, MIT licence."

# The policy lets only scripts and styles run that it knows by their fingerprint, also when they
# come out of the stream.
_START = """
const { module, style, ...rest } = await new Response(unpacked).json();
globalThis.ipygradPage = rest;
for (const [tag, text] of [["style", style], ["script", module]]) {
  const element = document.createElement(tag);
  if (tag === "script") element.type = "module";
  element.textContent = text;
  document.head.append(element);
}
"""

# On paper there are no buttons: each step stands there, after the picture of the whole.
_MOUNT = """
const { payloads, names } = globalThis.ipygradPage;
const roots = [...document.querySelectorAll("[data-pass]")];
const stills = roots.map((root) => root.querySelector("img"));
const tabs = document.querySelector("[data-tabs]");
const shown = tabs && mountAll(tabs, payloads.map((payload, i) => ({ payload, name: names[i] })));
const steppers = tabs ? [] : roots.map((root, i) => mount(root, payloads[i]));

function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const number = Number(asked.get("pass") ?? 1) - 1;
  const step = Number(asked.get("step") ?? NaN);
  if (!(number in roots) || (!asked.has("pass") && !(step >= 0))) return;
  const stepper = shown ? shown.open(number) : steppers[number];
  if (step >= 0) stepper.go(step);
  if (asked.has("pass")) (tabs ?? roots[number]).scrollIntoView();
}
follow();
addEventListener("hashchange", follow);

let sheets = [];
let printed = [];

// A stepper takes its layout from the width that it finds. It finds it on a bench of the paper's
// width, where nothing else has to be laid out again for each step.
function sheetOf({ steps, code, graph, room, ...rest }, still) {
  const heading = document.createElement("h2");
  heading.textContent = rest.title;
  const [bench, sheet, text] = ["div", "div", "pre"].map((tag) => document.createElement(tag));
  bench.className = sheet.className = "paper";
  document.body.append(bench);
  text.textContent = code?.lines.join("\\n") ?? "";
  sheet.append(...(tabs ? [heading] : []), still, text);
  const shape = { width: 0, height: 0, boxes: [], lines: [] };
  const groups = [{ items: [], shape: 0 }];
  const nothing = { functions: [], groups, shapes: [shape], open: [], height: null };
  const table = { columns: [], rows: [], row_steps: [] };
  const none = { notices: [], code: null, table, knobs: [], sizes: null, forward: [] };
  const alone = { ...rest, ...none, calls: null, start: 0, predict: false };
  steps.forEach((step, k) => {
    const heading = k > 0 ? `${k}. ${step.heading}` : step.heading;
    const products = step.products.map((product, variable) => ({ ...product, variable }));
    const variables = step.products.map(({ variable }) => graph.variables[variable]);
    const [rows, sums] = [products.length, products.filter(({ summed }) => summed).length];
    const counts = {
      "rows-of-one": rows, "rows-of-pairs": Math.ceil(rows / 2),
      "sums-of-one": sums, "sums-of-pairs": sums,
    };
    const root = document.createElement("div");
    bench.append(root);
    const mounted = mount(root, {
      ...alone,
      graph: {
        ...nothing,
        variables: variables.map((node) => ({ ...node, creator: null, users: [] })),
      },
      steps: [{ ...step, heading, products, function: null }],
      room: { ...room, counts, texts: {} },
    });
    printed.push(mounted);
    sheet.append(root);
  });
  bench.remove();
  return sheet;
}

addEventListener("beforeprint", () => {
  sheets = roots.map((root, i) => sheetOf(payloads[i], stills[i]));
  if (tabs) tabs.after(...sheets);
  else roots.forEach((root, i) => root.after(sheets[i]));
  document.body.classList.add("on-paper");
});
addEventListener("afterprint", () => {
  document.body.classList.remove("on-paper");
  for (const stepper of printed) stepper.destroy();
  for (const sheet of sheets) sheet.remove();
  printed = [];
});
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
%(passes)s
<footer>%(licence)s</footer>
<script type="module">%(script)s</script>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 1rem auto; max-width: 76rem; padding: 0 1rem; background: Canvas; color: CanvasText;
  font: 13px/1.5 system-ui, sans-serif; }
img { max-width: 100%; height: auto; }
footer { margin-top: 1rem; opacity: 0.75; font-size: 12px; }
@page { margin: 15mm; }
@media print {
  :root { color-scheme: light; }
  body { margin: 0; max-width: none; padding: 0; }
  .on-paper :is([data-pass], [data-tabs]) { display: none; }
  .paper > div { break-inside: avoid; margin-top: 6mm; border-top: 1px solid #bbb; }
  .on-paper .paper :is(.ipygrad-graph, .ipygrad-controls, .ipygrad-parts,
    .ipygrad-details) { display: none; }
}
.paper { width: 180mm; }
.paper pre { font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
"""


class Shown(NamedTuple):
    """One pass of a page: its payload, its still picture as PNG, and what its tab is called."""

    payload: dict[str, Any]
    png: bytes
    name: str


def page(passes: Sequence[Shown], *, in_tabs: bool = False) -> str:
    """Return a page that steps by itself, allowed to run its own script and nothing else.

    Each pass has its stepper, and a heading where there are several; or all have one place, in
    which a tab opens each. Module, style and payloads travel as one compressed stream.
    """
    module, style = front_end()
    module += _MOUNT
    payloads = [shown.payload for shown in passes]
    names = [shown.name for shown in passes]
    unpack = unpacking({"module": module, "style": style, "payloads": payloads, "names": names})
    script = unpack + _START
    policy = (
        "default-src 'none'; img-src data:; "
        f"script-src {_fingerprint(script)} {_fingerprint(module)}; "
        f"style-src {_fingerprint(_STYLE)} {_fingerprint(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    titles = [payload["title"] for payload in payloads]
    stills = "\n".join(
        (
            f"<h2>{escape(title if in_tabs else f'{number}. {title}')}</h2>\n"
            if len(passes) > 1
            else ""
        )
        + f"<div data-pass>{still_html(shown.payload, shown.png)}</div>"
        for number, (title, shown) in enumerate(zip(titles, passes, strict=True), 1)
    )
    return _PAGE % {
        "language": escape(payloads[0]["language"]),
        "policy": policy,
        "title": escape(", ".join(dict.fromkeys(titles))),
        "style": _STYLE,
        "passes": f"<div data-tabs>\n{stills}\n</div>" if in_tabs else stills,
        "licence": LICENCE,
        "script": script,
    }


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
