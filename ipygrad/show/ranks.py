"""Ranks: which column each node of a directed acyclic graph stands in, so that edges are short.

A short edge passes few columns, and so crosses few others. The sum of all lengths is made least by
the network simplex method of Gansner, Koutsofios, North and Vo, "A technique for drawing directed
graphs" (1993). Of the rankings that have this sum exactly one is the latest at every node: so the
ranks follow from the graph alone, and what is alike in it stands in the same column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Pair = tuple[int, int]

EFFORT = 60_000
"""Nodes that all pivots together may visit; a drawing of 300 boxes takes a tenth of that."""


def shortest_ranks(
    size: int,
    pairs: Sequence[Pair],
    weights: Sequence[int],
    *,
    first: int | None = None,
    last: int | None = None,
) -> list[int]:
    """Rank nodes in as few ranks as can be so that the sum of the lengths of all edges is least.

    Of all such rankings it is the one where each node stands as late as in any. Where finding it
    takes too long, the ranks are those of `latest_ranks`.

    Parameters
    ----------
    size
        Number of nodes; they are ``range(size)``.
    pairs
        Tail and head of each edge; two nodes may have several edges.
    weights
        How often the length of each edge counts.
    first, last
        A node without edges to it that is to stand in the first rank, and one without edges from
        it that is to stand in the last.

    Raises
    ------
    ValueError
        If the edges form a cycle.
    """
    latest = latest_ranks(size, pairs)
    if first is not None:
        latest[first] = 0
    tree = _TightTree(latest, pairs, weights, first, last)
    place, settled, work = 0, 0, EFFORT
    while settled < len(tree.free) and work > 0:
        node = tree.free[place]
        place, settled = (place + 1) % len(tree.free), settled + 1
        if tree.flow[node] < 0:
            work, settled = work - tree.pivot(node), 0
    return tree.rank[:size] if work > 0 else latest


def latest_ranks(size: int, pairs: Sequence[Pair]) -> list[int]:
    """Rank every node as late as its successors allow, the first rank being 0.

    Raises
    ------
    ValueError
        If the edges form a cycle.
    """
    predecessors: list[list[int]] = [[] for _ in range(size)]
    missing = [0] * size
    for tail, head in pairs:
        predecessors[head].append(tail)
        missing[tail] += 1
    height = [0] * size
    ready = [node for node in range(size) if not missing[node]]
    for node in ready:
        for tail in predecessors[node]:
            height[tail] = max(height[tail], height[node] + 1)
            missing[tail] -= 1
            if not missing[tail]:
                ready.append(tail)
    if len(ready) < size:
        raise ValueError("The graph cannot be ranked: its edges form a cycle.")
    highest = max(height, default=0)
    return [highest - value for value in height]


class _TightTree:
    """Ranks, and a spanning tree of edges none of which could be shorter.

    Its root stands for the last rank. The flow of an edge in the tree is what it would cost to make
    that edge longer by one, in units of the sum that is to be least: where it is negative, the two
    parts of the tree that it joins move apart until another edge is as short as it may be.

    Attributes
    ----------
    rank
        Of each node, the two that stand for the first and the last rank included.
    root
        The latter.
    free
        The nodes that may move.
    near
        For each node those that it has an edge with, the least length of that, and whether it goes
        from the node.
    parent, flow, upward
        For each node the next on the way to the root, the flow of the edge between, and whether
        that goes from the node.
    """

    def __init__(
        self,
        latest: Sequence[int],
        pairs: Sequence[Pair],
        weights: Sequence[int],
        first: int | None,
        last: int | None,
    ) -> None:
        size, top = len(latest), max(latest, default=0)
        start = size if first is None else first
        self.root = size + 1 if last is None else last
        self.rank = [*latest, 0, top]
        self.free = [node for node in range(size) if node not in (start, self.root)]
        least = dict.fromkeys(pairs, 1)
        tails, heads = ({pair[side] for pair in pairs} for side in (0, 1))
        least |= {(start, node): 0 for node in self.free if node not in heads}
        least |= {(node, self.root): 0 for node in self.free if node not in tails}
        self.near: list[list[tuple[int, int, bool]]] = [[] for _ in self.rank]
        self.parent = [self.root] * len(self.rank)
        for (tail, head), length in least.items():
            self.near[tail].append((head, length, True))
            self.near[head].append((tail, length, False))
            if tail != start and self.rank[head] - self.rank[tail] == length:
                self.parent[tail] = head
        self.upward = [True] * len(self.rank)
        # To be late gains each node 1 a rank; an edge costs more a rank than all nodes can gain.
        most = len(self.rank) * (top + 1)
        self.flow = [1] * len(self.rank)
        for (tail, head), weight in zip(pairs, weights, strict=True):
            self.flow[tail] += weight * most
            self.flow[head] -= weight * most
        for node in sorted(self.free, key=self.rank.__getitem__):
            self.flow[self.parent[node]] += self.flow[node]

    def pivot(self, top: int) -> int:
        """Exchange the edge above a node for the one that becomes tight; return the nodes seen."""
        rank, parent, flow, upward = self.rank, self.parent, self.flow, self.upward
        branch, inside = [top], {top}
        for node in branch:
            below = [other for other, _, _ in self.near[node] if parent[other] == node]
            branch += below
            inside.update(below)
        earlier, gain = upward[top], -flow[top]
        slack, inner, outer = min(
            (abs(rank[node] - rank[other]) - length, node, other)
            for node in branch
            for other, length, leaves in self.near[node]
            if leaves != earlier and other not in inside
        )
        for node in branch:
            rank[node] += -slack if earlier else slack
        seen = len(branch)
        for node, change in ((inner, gain), (outer, -gain)):
            while node != self.root:
                flow[node] += change if upward[node] == earlier else -change
                node = parent[node]
                seen += 1
        node, link = inner, (outer, gain, not earlier)
        while link[0] != top:
            above, value, leaves = parent[node], flow[node], upward[node]
            parent[node], flow[node], upward[node] = link
            node, link = above, (node, value, not leaves)
        return seen
