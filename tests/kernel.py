"""A real kernel without a page: runs a cell again and again, as a front end asks it to."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

from tests.shell import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 120.0

# Only now: what the kernel itself does before it runs cells may be out of date on a new Python.
STRICT = "import warnings; warnings.simplefilter('error')"

# What the kernel holds for steppers, and how much memory it has taken, in bytes;
# 0 where Linux does not tell.
COUNT = """
import gc, json
from collections import Counter
from comm import get_comm_manager
gc.collect()
kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
counts = {kind: kinds[kind] for kind in ("StepperLink", "Layout", "BackwardPass", "Figure")}
counts["comms"] = len(get_comm_manager().comms)
try:
    with open("/proc/self/statm") as statm:
        counts["bytes"] = 4096 * int(statm.read().split()[1])
except OSError:
    counts["bytes"] = 0
print(json.dumps(counts))
"""


class Kernel:
    """Runs cells in a kernel, and waits for each to end."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str, cell: str) -> str:
        """Run a cell with this id, and return what it printed.

        Raises
        ------
        RuntimeError
            When the cell raised.
        """
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
        message = self._client.session.msg("execute_request", content)
        message["metadata"]["cellId"] = cell
        self._client.shell_channel.send(message)
        printed = ""
        while True:
            answer = self._client.get_iopub_msg(timeout=PATIENCE)
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = answer["content"]
            if answer["msg_type"] == "error":
                raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            if answer["msg_type"] == "stream":
                printed += content["text"]
            if content.get("execution_state") == "idle":
                break
        while (
            self._client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"]
            != (message["header"]["msg_id"])
        ):
            pass
        return printed

    def counts(self) -> dict[str, int]:
        """Return how many things of each kind live in the kernel, and the bytes that it takes."""
        found: dict[str, int] = json.loads(self.run(COUNT, "count").splitlines()[-1])
        return found


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """Start a kernel with the extension loaded, and end it."""
    env = os.environ | {"IPYTHONDIR": str(folder)}
    manager, client = start_new_kernel(env=env, startup_timeout=PATIENCE)
    try:
        started = Kernel(client)
        started.run(STRICT, "strict")
        started.run(IMPORTS, "imports")
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
