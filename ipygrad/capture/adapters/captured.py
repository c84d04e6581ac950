"""The graph of a result, whichever engine made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ipygrad.capture.adapters import find_adapter
from ipygrad.capture.adapters.mirror import MirroredSites, Translation
from ipygrad.capture.graph import capture_graph, value_as_name
from ipygrad.capture.names import NoCallSites, names_in
from ipygrad.engine.core import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.graph import Graph
    from ipygrad.capture.names import CallSites


class Captured(NamedTuple):
    """A graph, and how it was come by.

    Attributes
    ----------
    graph
        Of our own Variables and Functions.
    translation
        What these mirror; None where they are what the user made.
    """

    graph: Graph
    translation: Translation | None


def capture(
    result: object, namespace: Mapping[str, object], sites: CallSites | None = None
) -> Captured:
    """Read the graph of a result of ours, or mirror that of another engine's.

    Parameters
    ----------
    result
        A variable that a function made.
    namespace
        Where the user's names stand.
    sites
        Who watched the functions being called.

    Raises
    ------
    TypeError
        When no engine is known that `result` could be a variable of.
    """
    if isinstance(result, Variable):
        return Captured(capture_graph([result], namespace, sites), None)
    adapter = find_adapter(result)
    if adapter is None:
        raise TypeError(f"a {type(result).__name__} is no variable of an engine that is known")
    translation = Translation(result, adapter)
    mirrored = translation.mirrored(namespace)
    bound = names_in(mirrored)
    for leaf in translation.leaves:
        # Most often a number in a formula (2 * x), which other engines wrap as the user's own.
        if leaf.name is None and leaf not in bound:
            leaf.name = value_as_name(leaf.data)
    mirrored_sites = MirroredSites(translation, sites or NoCallSites())
    return Captured(capture_graph([translation.result], mirrored, mirrored_sites), translation)
