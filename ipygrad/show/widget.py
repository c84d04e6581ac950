"""The stepper's model in the kernel: an anywidget, and so an ipywidgets DOMWidget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import anywidget
import traitlets

from ipygrad.show.front_end import front_end

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULE, _STYLE = front_end()

# What the stepper's own module does with a model that reaches the page, and no more.
_LINK = """
export default {
  initialize({ model }) {
    const models = (window.__ipygrad ??= new Map());
    const id = model.get("stepper_id");
    models.set(id, model);
    window.dispatchEvent(new CustomEvent("ipygrad:model", { detail: id }));
    return () => models.get(id) === model && models.delete(id);
  },
};
"""


class StepperLink(anywidget.AnyWidget):  # type: ignore[misc]
    """The kernel's end of a stepper that stands in a notebook as HTML.

    It carries neither module nor payload: a notebook that saves the state of its widgets would
    hold them a second time.

    Parameters
    ----------
    stepper_id
        Id of the HTML fragment.
    last
        Number of the last step.
    step
        Step that is shown.
    answer
        A method that is called with each message of a page, a dict of anything, and returns what
        to send back, or None. Its object is not kept alive: when it is gone, nobody answers.
    """

    _esm = _LINK

    stepper_id = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        stepper_id: str,
        last: int,
        step: int,
        answer: Callable[[dict[str, Any]], dict[str, Any] | None],
        **state: Any,
    ) -> None:
        self._last = last
        self._answer = WeakMethod(answer)
        super().__init__(stepper_id=stepper_id, step=step, **state)
        self.on_msg(self._hear)

    @traitlets.validate("step")
    def _within_the_pass(self, proposal: dict[str, Any]) -> int:
        step: int = proposal["value"]
        if not 0 <= step <= self._last:
            raise traitlets.TraitError(
                f"this pass has steps 0 to {self._last}, so step cannot be {step}"
            )
        return step

    def _hear(self, _widget: object, message: Any, _buffers: object) -> None:
        answer = self._answer()
        if answer is None or not isinstance(message, dict):
            return
        answered = answer(message)
        if answered is not None:
            self.send(answered)

    def close(self) -> None:
        """Free what the kernel holds for this model and its layout."""
        if self.comm is not None and self.layout is not None:
            self.layout.close()
        super().close()


class BackwardWidget(StepperLink):
    """A stepper that can be displayed alone or inside an ``HBox``.

    ``w.step = 2`` moves it and the HTML stepper of the same pass, ``w.observe(f, "step")`` follows
    them. Inside another widget it is a view of its own. Displayed alone it is the HTML stepper,
    linked to this model, since of a view nothing is left where its kernel is gone.

    Parameters
    ----------
    alone
        What is displayed when it stands alone, by MIME type.
    """

    _esm = _MODULE
    _css = _STYLE

    payload = traitlets.Dict().tag(sync=True)

    def __init__(self, *state: Any, alone: dict[str, Any], **more: Any) -> None:
        self._alone = alone
        super().__init__(*state, **more)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self._alone
