"""Read what is inside a page."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def payloads_of(page: Path) -> list[dict[str, Any]]:
    """Return the payloads of the passes of a page that `to_html` has written."""
    (stream,) = re.findall(r'atob\("([^"]*)"\)', page.read_text("utf-8"))
    content = json.loads(gzip.decompress(base64.b64decode(stream)))
    payloads: list[dict[str, Any]] = content["payloads"]
    return payloads
