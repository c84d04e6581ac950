"""What axe-core has to object to in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page


HOSTS = ("heading-order",)
"""A rule on what else a page holds: a notebook is its author's and the host's."""


def violations(page: Page, context: str, *, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the rules that an element of the page breaks, each with the parts that do.

    Parameters
    ----------
    page
        The page, as it is shown now.
    context
        A selector of the element: what is around it is not judged.
    without
        Rules that are not asked for.
    """
    options = {"rules": {rule: {"enabled": False} for rule in without}}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [{rule["id"]: [node["html"][:200] for node in rule["nodes"]]} for rule in found]
