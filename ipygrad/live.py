"""The kernel's end of a stepper on a page: moves it, tells what it lacks, turns its knobs."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from ipygrad.capture.replay import CannotReplayError
from ipygrad.show.knobs import knobs_of, turned

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.record import BackwardPass
    from ipygrad.show.payload import Json
    from ipygrad.show.widget import BackwardWidget, StepperLink


class Live:
    """Follows the steppers that show a pass, and answers them.

    Parameters
    ----------
    bp
        The pass, which owns this object and is not kept alive by it.
    stepper_id
        Id of its steppers.
    """

    def __init__(self, bp: BackwardPass, stepper_id: str) -> None:
        self._owner = weakref.ref(bp)
        self._id = stepper_id
        self._link: StepperLink | None = None
        # The pass with its knobs turned, and where they stand: what was asked for last.
        self._turned: tuple[dict[int, float], BackwardPass] | None = None

    @property
    def _pass(self) -> BackwardPass:
        bp = self._owner()
        if bp is None:
            raise ReferenceError("the pass of this stepper is gone")
        return bp

    def be_linked(self) -> None:
        """Let the kernel follow the HTML stepper, draw its plots and move it."""
        from ipygrad.show.widget import StepperLink

        if self._link is None:
            bp = self._pass
            self._link = StepperLink(self._id, bp._last_shown, bp._start, self.answer)

    def widget(self) -> BackwardWidget:
        """Return the stepper as a widget, in the place of a link."""
        from ipygrad.show.widget import BackwardWidget

        bp, step = self._pass, None
        if self._link is not None:
            step = self._link.step
            self._link.close()
        self._link = BackwardWidget(
            self._id,
            bp._last_shown,
            bp._start if step is None else step,
            self.answer,
            payload=bp._notebook_payload,
            alone=bp.bundle(),
        )
        return self._link

    def close(self) -> None:
        """Free what the kernel holds for the stepper."""
        if self._link is not None:
            self._link.close()
        self._link = None

    # --- messages: they come from a page, so anything may stand in them ---

    def answer(self, message: dict[str, Any]) -> Json | None:
        """Return the answer to a message of a stepper; None where there is none.

        Each message tells at which values of knobs, by their places, it is asked.
        """
        bp, kind = self._pass, message.get("type")
        told = message.get("values", {})
        knobs = knobs_of(bp.graph)[0] if bp._findings.can_replay else []
        values = _values(told, len(knobs))
        if values is None:
            return None
        leaves = turned(bp.graph, knobs, values)
        if kind == "keep":
            return {"type": "what_if", "said": bp._keep(leaves)}
        number = message.get("variable" if kind == "chain" else "step")
        if kind not in ("plot", "chain", "what_if") or type(number) is not int:
            return None
        try:
            shown = self._at(values, leaves)
        except CannotReplayError as error:
            return {"type": "what_if", "said": str(error)}
        answer = _answer(shown, kind, number)
        return None if answer is None else {"type": kind, **answer, "values": told}

    def _at(self, values: dict[int, float], leaves: dict[int, Array]) -> BackwardPass:
        if not values:
            return self._pass
        if self._turned is None or self._turned[0] != values:
            self._turned = values, self._pass._with(leaves, drawn_like=self._pass)
        return self._turned[1]


def _answer(shown: BackwardPass, kind: str, number: int) -> Json | None:
    """Return what a pass has of a step or, for a chain, of a variable; None if there is none."""
    if kind == "chain":
        is_there = 0 <= number < len(shown._kept.variables)
        return {"variable": number, "chain": shown._tell_chain(number)} if is_there else None
    if kind == "plot" and number < 0:
        call = shown._tell_call(number)
        return None if call is None else {"step": number, "svg": None, "told": call}
    is_drawn = 1 <= number <= len(shown)
    plot = shown._draw(number) if is_drawn else None
    if kind == "what_if":
        return {"payload": shown._payload({} if plot is None else {number: plot})}
    return {"step": number, "svg": plot, "told": shown._tell(number)} if is_drawn else None


def _values(told: object, count: int) -> dict[int, float] | None:
    """Read where knobs stand; None where that is not what stands there."""
    if not isinstance(told, dict):
        return None
    places = {str(place): place for place in range(count)}
    if not all(key in places and _is_number(value) for key, value in told.items()):
        return None
    return {places[key]: float(value) for key, value in told.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max
