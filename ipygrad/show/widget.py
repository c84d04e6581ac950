"""The stepper's model in the kernel: an anywidget, and so an ipywidgets DOMWidget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ipygrad.show.html import front_end

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULE, _STYLE = front_end()


class BackwardWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """A stepper that a kernel can follow and move.

    Displayed, it draws itself; created beside the HTML fragment of the same ``stepper_id``, it is
    linked to that. ``w.step = 2`` moves the stepper, ``w.observe(f, "step")`` follows it.

    Parameters
    ----------
    payload
        What is shown.
    stepper_id
        Id of the fragment that it belongs to.
    draw
        Gives the SVG document for a step, None where it has no picture; called for pictures that
        are not in the payload when they are first looked at.
    """

    _esm = _MODULE
    _css = _STYLE

    payload = traitlets.Dict().tag(sync=True)
    stepper_id = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        payload: dict[str, Any],
        stepper_id: str,
        draw: Callable[[int], str | None],
    ) -> None:
        self._draw = draw
        super().__init__(payload=payload, stepper_id=stepper_id, step=payload["start"])
        self.on_msg(self._answer)

    @traitlets.validate("step")
    def _within_the_pass(self, proposal: dict[str, Any]) -> int:
        step: int = proposal["value"]
        last = len(self.payload["steps"]) - 1
        if not 0 <= step <= last:
            raise traitlets.TraitError(f"this pass has steps 0 to {last}, so step cannot be {step}")
        return step

    def _answer(self, _widget: object, message: Any, _buffers: object) -> None:
        # The message comes from a page, so anything may stand in it.
        if not isinstance(message, dict) or message.get("type") != "plot":
            return
        step = message.get("step")
        if isinstance(step, int) and 1 <= step < len(self.payload["steps"]):
            self.send({"type": "plot", "step": step, "svg": self._draw(step)})
