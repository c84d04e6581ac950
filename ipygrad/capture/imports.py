"""Hear of packages that are imported for the first time while a cell runs."""

from __future__ import annotations

import builtins
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@contextmanager
def when_imported(packages: Iterable[str], tell: Callable[[str], object]) -> Iterator[None]:
    """Call `tell` with each of some packages as soon as the block has imported it.

    Parameters
    ----------
    packages
        Names of packages that are not loaded yet.
    tell
        Who is told, before the statement after the import runs.
    """
    waiting = list(packages)
    if not waiting:
        yield
        return
    import_, depth = builtins.__import__, 0

    def import_and_tell(*given: Any, **options: Any) -> Any:
        nonlocal depth
        __tracebackhide__ = True
        depth += 1
        try:
            module = import_(*given, **options)
        finally:
            depth -= 1
        # While a package imports others, and parts of itself, it is loaded but not yet whole.
        for package in [one for one in waiting if depth == 0 and one in sys.modules]:
            waiting.remove(package)
            tell(package)
        return module

    builtins.__import__ = import_and_tell
    try:
        yield
    finally:
        # Unless the block has put another there.
        if builtins.__import__ is import_and_tell:
            builtins.__import__ = import_
