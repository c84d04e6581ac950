"""The front end in a bare page, and what its tests ask of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ipygrad.show.front_end import front_end
from ipygrad.show.room import room_of
from tests.browser import payloads

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

STATIC = Path(__file__).parents[2] / "ipygrad" / "show" / "static"

PAGE = """<!doctype html><meta charset="utf-8">
<style>:root {{ color-scheme: light dark; }} body {{ margin: 16px; }}</style><style>{style}</style>
<p id="above">above</p><div id="root"><i>still picture</i></div><button id="below">below</button>
<script type="module">{module}
window.ipygrad = {{ mount, initialize, render }};</script>"""

MODEL = """(state) => {
  const listeners = new Map();
  const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
  return {
    saves: 0,
    sent: [],
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      this.fire(`change:${name}`);
    },
    save_changes() { this.saves += 1; },
    send(message) { this.sent.push(message); },
    on: (event, callback) => of(event).add(callback),
    off: (event, callback) => of(event).delete(callback),
    fire: (event, ...details) => [...of(event)].forEach((callback) => callback(...details)),
    listeners: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
  };
}"""
"""A kernel's model, as far as the front end uses one."""


def prepare(page: Page) -> None:
    """Load the module into a bare page."""
    module, style = front_end()
    page.set_content(PAGE.format(style=style, module=module))
    page.wait_for_function("window.ipygrad")
    page.evaluate(f"window.makeModel = {MODEL}")


def hand_over(page: Page, payload: payloads.Payload) -> None:
    """Give a payload to the page, as `window.payload`.

    As text: as an object, a long pass would take seconds on its way.
    """
    payload = {**payload, "room": room_of(payload["steps"], forward=payload["forward"])}
    page.evaluate("text => { window.payload = JSON.parse(text); }", json.dumps(payload))


def mounted(page: Page, payload: payloads.Payload) -> Locator:
    """Mount a stepper as `window.stepper` and return its root."""
    prepare(page)
    hand_over(page, payload)
    page.evaluate("() => { window.stepper = ipygrad.mount(root, payload); }")
    return page.locator("#root")


def with_model(page: Page, payload: payloads.Payload) -> Locator:
    """Mount a stepper as `window.stepper` that has a kernel's model, `window.model`."""
    prepare(page)
    hand_over(page, payload)
    page.evaluate(
        """() => {
          window.model = makeModel({stepper_id: "s", step: payload.start, payload});
          window.stepper = ipygrad.mount(root, payload, {id: "s", model});
        }"""
    )
    return page.locator("#root")


def go(page: Page, step: int) -> None:
    page.evaluate("step => stepper.go(step)", step)


def step_of(page: Page) -> int:
    step: int = page.evaluate("stepper.step")
    return step


def button(root: Locator, key: str) -> Locator:
    return root.get_by_role("button", name=payloads.WORDS[key], exact=True)


def box(root: Locator, name: str) -> Locator:
    """Return a box of the graph by the beginning of its name in words."""
    return root.locator("svg").get_by_role("button", name=re.compile(f"^{re.escape(name)}"))
