"""Hear of the calls of learners' own classes, by methods that stand in for theirs for a while.

A profile function would hear of them, too, but of everything else as well: an empty one makes a
loop of small calls more than twice as slow.
"""

from __future__ import annotations

import builtins
from contextlib import contextmanager
from functools import partial, wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ipygrad.capture.shapes import is_typed
from ipygrad.capture.values import with_values_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from ipygrad.capture.recording import CallRecorder

_CREATOR = frozenset(("creator", "set_creator"))


@contextmanager
def methods_wrapped(
    recorder: CallRecorder, kinds: Iterable[type], libraries: Collection[str]
) -> Iterator[None]:
    """Let `recorder` hear of calls of ``__call__`` and ``backward`` while the block runs.

    Parameters
    ----------
    recorder
        Who listens.
    kinds
        Classes of the user's. Those that the block defines in the notebook are added.
    libraries
        Packages whose classes are heard of in other ways.
    """
    wrapped: dict[tuple[type, str], tuple[Any, Any]] = {}

    def wrap(kind: type) -> None:
        for name, wrapper in (("__call__", _heard_call), ("backward", _heard_backward)):
            method = vars(kind).get(name)
            if isinstance(method, FunctionType) and (kind, name) not in wrapped:
                wrapped[kind, name] = (method, wrapper(recorder, method))
                setattr(kind, name, wrapped[kind, name][1])

    build_class = builtins.__build_class__

    def build_and_wrap(*arguments: Any, **options: Any) -> Any:
        kind = build_class(*arguments, **options)
        if isinstance(kind, type) and is_typed(kind, libraries):
            wrap(kind)
        return kind

    for kind in kinds:
        wrap(kind)
    builtins.__build_class__ = build_and_wrap
    try:
        yield
    finally:
        builtins.__build_class__ = build_class
        for (kind, name), (method, stand_in) in wrapped.items():
            # Unless the block has put another there.
            if vars(kind).get(name) is stand_in:
                setattr(kind, name, method)


def _heard_call(recorder: CallRecorder, method: FunctionType) -> Callable[..., Any]:
    sets_creators = not _CREATOR.isdisjoint(method.__code__.co_names)
    why = partial(_why_left_out, method) if sets_creators else None

    @wraps(method)
    def __call__(self: Any, *given: Any, **options: Any) -> Any:  # noqa: N807 - it is one
        __tracebackhide__ = True
        made = method(self, *given, **options) if options else method(self, *given)
        if recorder.hears_calls:
            recorder.was_called(self, given, made, why)
        return made

    return __call__


def _why_left_out(method: FunctionType) -> tuple[str, bool]:
    """Say why a ``__call__`` that sets creators has not, and whether a switch is off."""
    names = method.__code__.co_names
    for name in names:
        owner = method.__globals__.get(name)
        if owner is False:
            return f"it was made while {name} was False", True
        for attribute in names:
            if getattr(owner, attribute, None) is False:
                return f"it was made while {name}.{attribute} was False", True
    return f"this time {method.__qualname__} did not set it", False


def _heard_backward(recorder: CallRecorder, method: FunctionType) -> Callable[..., Any]:
    code = method.__code__
    keeping: FunctionType | None = None

    @wraps(method)
    def backward(self: Any, *given: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        heard = recorder.goes_back(self, given, code) if recorder.is_on else None
        if heard is None:
            return method(self, *given, **options)
        nonlocal keeping
        if keeping is None:
            keeping = with_values_kept(method, recorder.kept.append)
        try:
            returned = keeping(self, *given, **options) if options else keeping(self, *given)
        except BaseException as error:
            recorder.went_back(heard, None, f"{type(error).__name__}: {error}")
            raise
        recorder.went_back(heard, returned)
        return returned

    return backward
