"""Run the real nbconvert, in a process and a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pypandoc

ROOT = Path(__file__).parent.parent
EXAMPLES = [
    *sorted((ROOT / "examples").glob("*.ipynb")),
    *sorted((ROOT / "examples" / "ko").glob("*.ipynb")),
]


def nbconvert(notebook: Path, to: str, folder: Path, *options: str) -> Path:
    """Convert `notebook` to a file in `folder`, and return that file."""
    # Its LaTeX exporter wants pandoc on the PATH, and a package brings it.
    pandoc = Path(pypandoc.get_pandoc_path()).parent
    home = {"HOME": str(folder), "IPYTHONDIR": str(folder), "JUPYTER_CONFIG_DIR": str(folder)}
    environment = os.environ | home | {"PATH": f"{pandoc}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbconvert", "--to", to, "--output-dir", str(folder)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and files
        [*command, *options, str(notebook)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    endings = {"slides": "slides.html", "markdown": "md", "latex": "tex", "notebook": "ipynb"}
    return folder / f"{notebook.stem}.{endings.get(to, to)}"
