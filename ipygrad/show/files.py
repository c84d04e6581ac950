"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def checked_path(
    path: str | Path, endings: Sequence[str], what: str, *, overwrite: bool = True
) -> Path:
    """Return a path that may be written, before any work is done for it.

    Parameters
    ----------
    endings
        In lower case, with the dot.
    what
        What is to be written, as the sentence begins: ``"an animation"``.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError
        For another ending.
    FileNotFoundError, FileExistsError, IsADirectoryError
        When there is no such folder; when the file is there and must not be replaced; when it is
        a folder.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        found = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        choice = ", ".join(endings[:-1]) + " or " * (len(endings) > 1) + endings[-1]
        raise ValueError(f"{what} is saved as {choice}, but {path.name!r} {found}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{what} cannot be saved as {path}: there is no such folder")
    if path.is_dir():
        raise IsADirectoryError(f"{what} cannot be saved as {path}: that is a folder")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already: pass overwrite=True to replace it")
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, which takes its place when all went well.

    What raises inside leaves no file, and a file that was there as it was.

    Raises
    ------
    OSError
        When it cannot be written: the disk is full, or the folder is not the user's.
    """
    # The ending stays, since writers go by it.
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(f"{path} cannot be written: {reason}") from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
