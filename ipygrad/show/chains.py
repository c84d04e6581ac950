"""The chain rules that a payload holds, and those that a kernel is asked for."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ipygrad.capture.names import is_own
from ipygrad.show.steps import formula_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.explain.paths import Edge
    from ipygrad.show.payload import Kept, Pass

MOST_CHAINS = 20
CHAIN_CHARACTERS = 60_000
"""How many chains the payload of a folded graph holds, as JSON; others are asked for when their
variable is selected."""
CHAIN_SECONDS = 1.0
"""After so long no further chain is begun. It is far more than chains take, since the same cell is
to give the same bytes on every machine."""

Json = dict[str, Any]


def all_chains(shown: Pass, kept: Kept) -> Mapping[int, Json | None]:
    """Return the chain of each variable, by its number."""
    return {node.index: chain_of(shown, kept, node) for node in shown.graph.variables}


def first_chains(shown: Pass, kept: Kept, reached: Container[int]) -> Mapping[int, Json | None]:
    """Return the chains of some variables, and None for all that have none, by their numbers.

    Parameters
    ----------
    reached
        Numbers of the variables to which the pass has come.
    """
    graph = shown.graph
    known = reached if shown.findings.has_chains else ()
    chains: dict[int, Json | None] = {
        node.index: None
        for node in graph.variables
        if node.index not in known or node.kind == "result"
    }
    end, characters, most = perf_counter() + CHAIN_SECONDS, 0, len(chains) + MOST_CHAINS
    for node in _asked_first(graph):
        if len(chains) == most or perf_counter() > end:
            break
        if node.index in chains:
            continue
        chain = chain_of(shown, kept, node)
        characters += len(json.dumps(chain, ensure_ascii=False))
        if characters > CHAIN_CHARACTERS:
            break
        chains[node.index] = chain
    return chains


def _asked_first(graph: Graph) -> Iterator[VariableNode]:
    """Yield the leaves, then what has a name of the user's own."""
    yield from (node for node in graph.variables if node.kind == "leaf")
    yield from (node for node in graph.variables if node.kind != "leaf" and is_own(node.name))


def chain_of(shown: Pass, kept: Kept, node: VariableNode) -> Json | None:
    """Return the chain rule for a variable as the payload has it."""
    if node.index in shown.graph.results:
        return None
    chain = shown.findings.chain(node.index)
    if chain is None:
        return None
    return {
        "heading": formula_of(chain.heading),
        "paths": [
            {
                "text": path.text,
                "math": path.mathml,
                "factors": [_factor(shown.graph, kept, edge) for edge in edges],
            }
            for path, edges in zip(chain.paths, chain.edges, strict=True)
        ],
        "more": chain.more,
        "total": formula_of(chain.total),
    }


def _factor(graph: Graph, kept: Kept, edge: Edge) -> str | None:
    """Return the edge of a graph that a derivative stands for; a variable for that by itself."""
    creator = graph.variables[edge.start].creator
    is_start = edge.start == edge.end or creator is None
    end, function = kept.variables.get(edge.end), kept.functions.get(creator)
    if end is None or (function is None and not is_start):
        return None
    return f"v{end}" if is_start else f"v{end} f{function}"
