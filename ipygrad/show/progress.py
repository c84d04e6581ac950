"""Progress of what takes long: tqdm's bar where tqdm is installed, else a line that counts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def progress(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """Yield the items, and show on the error stream how many of `count` are done."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _counted(items, count, what)
    bar: Iterator[T] = iter(tqdm(items, desc=what, total=count))
    return bar


def _counted(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    try:
        for done, item in enumerate(items):
            sys.stderr.write(f"\r{what}: {done} of {count}")
            sys.stderr.flush()
            yield item
        sys.stderr.write(f"\r{what}: {count} of {count}")
    finally:
        sys.stderr.write("\n")
