"""The calls of functions that no engine of ours knows, as far as their outputs do not tell."""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.observe import reference_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_LATEST = 250
"""Calls that are kept whether or not anybody holds what they made."""
MOST_UNRECORDED = 1_000
"""Variables that are remembered for having been made without a creator on purpose, the latest."""


class Call(NamedTuple):
    """A call of a learner's function whose outputs do not know it.

    Attributes
    ----------
    function
        The function.
    inputs, outputs
        Variables; None for an output that nobody holds any more.
    """

    function: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any | None, ...]


class _Unrecorded(NamedTuple):
    """A variable that was made without a creator on purpose, and why."""

    reference: Callable[[], Any]
    reason: str
    is_off: bool


class Calls:
    """Calls in order: the latest ones, and of the others those whose outputs are still there.

    So a loop leaves little more behind than what its result was made of. Calls of functions that
    set creators, but did not this time (`no_grad`), do not count: of these it is known why.
    """

    def __init__(self) -> None:
        self._unrecorded: deque[_Unrecorded] = deque(maxlen=MOST_UNRECORDED)
        self._latest: list[tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = []
        self._older: list[tuple[Any, tuple[Any, ...], list[Callable[[], Any]]]] = []

    def add(self, function: Any, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """Remember a call."""
        if len(self._latest) >= MOST_LATEST:
            self._let_go()
        self._latest.append((function, inputs, outputs))

    def leave_out(self, outputs: tuple[Any, ...], reason: str = "", *, is_off: bool = True) -> None:
        """Remember why a call that would set creators did not, and whether recording was off."""
        self._unrecorded.extend(
            _Unrecorded(reference_to(output), reason, is_off) for output in outputs
        )

    def latest_inputs(self, function: object) -> tuple[Any, ...]:
        """Return what `function` was last called on; nothing where no call of it is known."""
        if self._latest:
            called, inputs, _ = self._latest[-1]
            if called is function:
                return inputs
        calls = chain(reversed(self._latest), reversed(self._older))
        return next((inputs for called, inputs, _ in calls if called is function), ())

    def why_left_out(self, output: object) -> str | None:
        """Return why `output` has no creator, None for one that was not left out."""
        return next((one.reason for one in self._left_out(output)), None)

    def was_off(self, output: object) -> bool:
        """Tell whether `output` was made while recording was off."""
        return any(one.is_off for one in self._left_out(output))

    def _left_out(self, output: object) -> list[_Unrecorded]:
        return [one for one in self._unrecorded if one.reference() is output is not None]

    def _let_go(self) -> None:
        """Hold the outputs weakly from now on, and forget calls that lead to none."""
        latest, older = self._latest, self._older
        living: list[tuple[Any, tuple[Any, ...], list[Callable[[], Any]]]] = []
        # Backward: with a call go its inputs, which may have been the last to hold earlier outputs.
        while latest:
            function, inputs, outputs = latest.pop()
            if len(outputs) == 1:  # Nearly all: in half the time that the loop takes.
                reference = reference_to(outputs[0])
                del outputs
                if reference() is not None:
                    living.append((function, inputs, [reference]))
                continue
            references = [*map(reference_to, outputs)]
            del outputs
            for reference in references:
                if reference() is not None:
                    living.append((function, inputs, references))
                    break
        while older:
            function, inputs, references = older.pop()
            for reference in references:
                if reference() is not None:
                    living.append((function, inputs, references))
                    break
        self._older = living[::-1]

    def __iter__(self) -> Iterator[Call]:
        for function, inputs, references in self._older:
            outputs = tuple([reference() for reference in references])
            if any(y is not None for y in outputs):
                yield Call(function, inputs, outputs)
        for latest in self._latest:
            yield Call(*latest)
