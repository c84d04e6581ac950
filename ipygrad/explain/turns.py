"""Whose turn is next, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipygrad.capture.waiting import Queue
    from ipygrad.explain.words import Words

MOST_SIGNS = 4
"""Gradients that are counted by signs; of more, one sign says whether any is missing."""


def describe_waiting(words: Words, queue: Queue) -> tuple[str, ...]:
    """Return a line for each of those who wait, and one for those who are not listed."""
    lines = [
        words(
            "waiting_line",
            sign="●" * one.arrived + "○" * one.missing
            if one.expected <= MOST_SIGNS
            else "○"
            if one.missing
            else "●",
            function=one.label,
            generation=one.generation,
            arrived=one.arrived,
            expected=one.expected,
        )
        for one in queue.first
    ]
    more = queue.length - len(queue.first)
    return (*lines, *([words("waiting_more", count=more)] if more else []))


def describe_next(words: Words, queue: Queue, *, stopped: bool) -> str:
    """Say why the first of those who wait is next; nothing where none waits.

    Parameters
    ----------
    queue
        Those who wait.
    stopped
        Whether the pass has ended here, although some wait.
    """
    if not queue.first:
        return words("turns_done")
    first = queue.first[0]
    values = {
        "function": first.label,
        "generation": first.generation,
        "arrived": first.arrived,
        "expected": first.expected,
    }
    if stopped:
        return words("turns_stopped", **values)
    if first.missing:
        return words("turns_early", **values)
    if first.generation < queue.highest:
        return words("turns_out_of_order", highest=queue.highest, **values)
    if queue.length == 1:
        return words("turns_only", **values)
    return words("turns_highest" if queue.equals == 1 else "turns_equal", **values)
