"""Run the examples and save them with their outputs: ``python -m tests.save_examples``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat

from tests.converter import EXAMPLES, nbconvert


def main() -> None:
    """Execute each example and drop what belongs to one machine."""
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            notebook = nbformat.read(
                nbconvert(example, "notebook", Path(folder), "--execute"), as_version=4
            )
        notebook.metadata = {"kernelspec": notebook.metadata.kernelspec}
        for cell in notebook.cells:
            cell.metadata = {}
        nbformat.write(notebook, example)
        print(f"{example.name}: {example.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
