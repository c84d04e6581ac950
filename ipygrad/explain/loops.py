"""In which turns of loops a function was called, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipygrad.capture.lines import LoopTurn
    from ipygrad.explain.words import Words


def describe_loop_turns(words: Words, turns: Iterable[LoopTurn]) -> str:
    """Say which turns of which loops these are, the outermost first; nothing outside of loops."""
    return words("list").join(
        words("loop_turn", line=one.line, turn=f"{one.turn:,}")
        if one.of is None
        else words("loop_turn_of", line=one.line, turn=f"{one.turn:,}", count=f"{one.of:,}")
        for one in turns
    )


def short_loop_turns(turns: Iterable[LoopTurn]) -> str:
    """Write turns as in a table: "2/3, 1/5"."""
    return ", ".join(f"{one.turn}" + ("" if one.of is None else f"/{one.of}") for one in turns)
