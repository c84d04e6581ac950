"""Extra calls of a user's function, of which the user must not notice anything."""

from __future__ import annotations

import builtins
import copy
import gc
import getpass
import logging
import random
import sys
import warnings
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from IPython import get_ipython

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.engine.core import Function

AnyFunction = TypeVar("AnyFunction", bound="Function")


@contextmanager
def quietly() -> Iterator[None]:
    """Run the block so that it leaves no trace on the user's screen or in the random state.

    What this thread prints, writes to stderr or displays is dropped, while other threads still
    reach the screen. Warnings and numpy's floating-point errors are ignored. In all threads,
    loggers are silent, and ``input``, ``getpass`` and ``breakpoint`` raise EOFError. The global
    states of `numpy.random` and `random` are put back afterwards, so that two such blocks in a row
    draw the same random numbers. Exceptions pass through, whatever their kind: what a failed call
    means is the caller's to say.

    Out of reach are a function's own effects elsewhere: files, globals, threads that it starts, and
    what it reads or writes past ``sys.stdout``, ``sys.stderr`` and ``input``.
    """
    python_state = random.getstate()
    # Learners' functions draw from the legacy global generator, so its state is the one to protect.
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    disabled = logging.root.manager.disable
    try:
        with ExitStack() as stack:
            for owner, name, stand_in in _stand_ins():
                stack.enter_context(replaced(owner, name, stand_in))
            stack.enter_context(np.errstate(all="ignore"))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            logging.disable(sys.maxsize)
            yield
    finally:
        logging.disable(disabled)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


class _SilentHere:
    """Stands in for `target`: some of its methods do nothing in the thread that made this object.

    In all other threads, and for all other attributes, it is like `target`.
    """

    def __init__(self, target: object, *silent: str) -> None:
        self._target = target
        self._silent = silent
        self._thread = get_ident()

    def __getattr__(self, name: str) -> Any:
        if name in self._silent and get_ident() == self._thread:
            return _do_nothing
        return getattr(self._target, name)


def _do_nothing(*_args: object, **_options: object) -> None:
    pass


def _nobody_answers(*_args: object, **_options: object) -> NoReturn:
    raise EOFError("nobody can answer while ipygrad calls a function once more")


def _stand_ins() -> Iterator[tuple[object, str, object]]:
    """Yield what is replaced by what: an owner, the name of its attribute, the stand-in."""
    for name in ("stdout", "stderr"):
        yield sys, name, _SilentHere(getattr(sys, name), "write", "writelines")
    shell = get_ipython()
    if shell is not None:
        publisher = _SilentHere(shell.display_pub, "publish", "clear_output")
        yield shell, "display_pub", publisher
    yield builtins, "input", _nobody_answers
    yield getpass, "getpass", _nobody_answers
    yield sys, "breakpointhook", _nobody_answers


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no garbage be collected in the block, which makes many objects that all stay.

    Each collection would look at all of them; for 10,000 functions that is a fifth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def replaced(owner: object, name: str, stand_in: object) -> Iterator[None]:
    """Put `stand_in` in the place of an attribute while the block runs."""
    before = getattr(owner, name)
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        setattr(owner, name, before)


def private_copy(function: AnyFunction) -> AnyFunction:
    """Return a copy of `function` whose calls leave the original alone.

    Whatever it keeps on ``self`` is copied, except the Variables that it is linked to: the
    copy has the same `inputs` and `outputs`, and none of the outputs knows it as its creator. What
    cannot be copied in depth (an open file, say) is shared with the original. Call it inside
    `quietly`, it may run the user's code.
    """
    linked = (*function.inputs, *function.outputs)
    try:
        return copy.deepcopy(function, {id(variable): variable for variable in linked})
    except (TypeError, ValueError, RecursionError, AttributeError, copy.Error):
        return copy.copy(function)


@contextmanager
def called_quietly(function: AnyFunction) -> Iterator[AnyFunction]:
    """Give the block what it may call instead of `function`, so that the user notices nothing.

    The library's own functions keep nothing and say nothing, so they are given as they are, which
    makes a pass of 100,000 of them ten times quicker to describe.
    """
    if not function._is_free:
        with np.errstate(all="ignore"):
            yield function
    else:
        with quietly():
            yield private_copy(function)
