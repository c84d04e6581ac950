"""A large graph, folded: a tree of groups, each small enough to be looked at.

The functions of every group are neighbours in one topological order of all functions. So no path
leaves a group and comes back, and with its groups as boxes a graph has no cycle on any level.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from math import ceil, log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.capture.stack import Call

Label = str | tuple[str, dict[str, str]]
"""A text, or the key of a text of the interface with its values."""
Item = tuple[str, int]
"""What stands in a group: "v" for a variable, "f" for a function, "g" for a group; its number."""

ROOT = 0
MOST_WEIGHT, FUNCTION_WEIGHT = 24, 2
"""What a group may hold: 24 groups or leaves, or 12 functions, beside which variables stand."""
MOST_BANDS = 12
"""Parts of about equal size that more than that is divided into, if they can be small enough."""
MOST_LEAVES = 3
"""More leaves than that with the same users are gathered into a group of their own."""
LEAST_RUN = 2
"""Functions that the runs of a line need on average to be worth a group each."""


class Group(NamedTuple):
    """One group.

    Attributes
    ----------
    label
        What it is called.
    size
        How many functions are inside, those of its groups counted; 0 for a group of leaves.
    items
        What stands in it directly.
    """

    label: Label
    size: int
    items: tuple[Item, ...]


class Folding(NamedTuple):
    """A folded graph.

    Attributes
    ----------
    groups
        The first is the whole graph.
    home
        The group that each item stands in directly.
    """

    groups: tuple[Group, ...]
    home: dict[Item, int]

    def path(self, item: Item) -> tuple[Item, ...]:
        """Return an item and all groups around it but the root, from the outermost inward."""
        path = [item]
        while (home := self.home[path[-1]]) != ROOT:
            path.append(("g", home))
        return tuple(reversed(path))

    def paths(self) -> list[tuple[Item, ...]]:
        """Return for each group itself and all around it, as `path` does; for the root nothing."""
        return [(), *(self.path(("g", number)) for number in range(1, len(self.groups)))]

    def alone(self) -> Iterator[Item]:
        """Yield the groups that are best opened at once: each the only one beside which it is."""
        inner: list[Item] = [("g", ROOT)]
        while len(inner) == 1:
            items = self.groups[inner[0][1]].items
            inner = [item for item in items if item[0] == "g" and self.groups[item[1]].size]
            yield from inner if len(inner) == 1 else ()


def fold(graph: Graph, kept: AbstractSet[int] | None = None) -> Folding:
    """Fold a graph, or the part of it that some functions make.

    What was called in one call, or in one turn of a loop, is a group; elsewhere neighbours that the
    same line has called are one. What is still too many is divided into bands of about equal size,
    and bands again into bands. A variable stands with the function that
    made it, and a leaf in the innermost group that has all of its users.

    Parameters
    ----------
    kept
        Numbers of the functions; None for all.
    """
    nodes = _in_order(
        graph, [node for node in graph.functions if kept is None or node.index in kept]
    )
    folder = _Folder()
    entries = [_Entry(("f", node.index), (node,)) for node in nodes]
    folder.fill(ROOT, _by_call(folder, entries, 0))
    _place_made(folder, graph, nodes)
    _place_leaves(folder, graph, nodes)
    return folder.folded()


def _in_order(graph: Graph, nodes: list[FunctionNode]) -> list[FunctionNode]:
    """Return functions as they were called; where that is not known, by generation.

    Where history was changed by hand, what was called later may have been made earlier.
    """
    by_generation = sorted(nodes, key=lambda node: (node.generation, node.index))
    orders = {node.index: node.made.order for node in nodes if node.made is not None}
    creators = ((node.index, graph.variables[x].creator) for node in nodes for x in node.inputs)
    is_known = len(orders) == len(nodes) and all(
        creator not in orders or creator is None or orders[creator] < orders[index]
        for index, creator in creators
    )
    return sorted(nodes, key=lambda node: orders[node.index]) if is_known else by_generation


class _Entry(NamedTuple):
    """What is put into a group: an item, all functions in it, and how many leaves it has."""

    item: Item
    functions: Sequence[FunctionNode] = ()
    leaves: int = 0

    @property
    def weight(self) -> int:
        return FUNCTION_WEIGHT if self.item[0] == "f" else 1


class _Folder:
    """Makes groups, and knows where everything stands."""

    def __init__(self) -> None:
        self.labels: list[Label] = [""]
        self.sizes = [0]
        self.home: dict[Item, int] = {}

    def group(self, label: Label, entries: Sequence[_Entry]) -> _Entry:
        """Make a group of entries."""
        number = len(self.labels)
        self.labels.append(label)
        self.sizes.append(0)
        self.fill(number, entries)
        functions = [node for entry in entries for node in entry.functions]
        return _Entry(("g", number), functions, sum(entry.leaves for entry in entries))

    def fill(self, number: int, entries: Sequence[_Entry]) -> None:
        """Put entries into a group; too many are divided into bands first."""
        self.sizes[number] += sum(len(entry.functions) for entry in entries)
        pages = sum(entry.weight for entry in entries) / MOST_WEIGHT
        if pages > 1:
            levels = ceil(log(pages, MOST_BANDS))
            count = max(2, ceil(pages ** (1 / levels)))
            cuts = [len(entries) * k // count for k in range(count + 1)]
            bands = [entries[start:end] for start, end in pairwise(cuts)]
            entries = [
                self.group(_name(self, band), band) if len(band) > 1 else band[0] for band in bands
            ]
        for entry in entries:
            self.home[entry.item] = number

    def folded(self) -> Folding:
        """Return what was made."""
        items: list[list[Item]] = [[] for _ in self.labels]
        for item, group in self.home.items():
            items[group].append(item)
        parts = zip(self.labels, self.sizes, map(tuple, items), strict=True)
        return Folding(tuple(Group(*part) for part in parts), self.home)


def _name(folder: _Folder, entries: Sequence[_Entry]) -> Label:
    """Name a band: "24 × Neuron", "turns 3 to 8", or after what it has most of, "64 mul + 48"."""
    names = [folder.labels[number] if kind == "g" else "" for (kind, number), *_ in entries]
    if isinstance(names[0], str) and names[0] and len(set(map(str, names))) == 1:
        return f"{len(names)} × {names[0]}"
    turns = [name[1].get("turn", "") for name in names if not isinstance(name, str)]
    if len(turns) == len(names) and all(turns) and sorted(set(turns), key=int) == turns:
        return "group_turns", {"first": turns[0], "last": turns[-1]}
    labels = Counter(node.label for entry in entries for node in entry.functions)
    if not labels:
        return "group_leaves", {"count": f"{sum(entry.leaves for entry in entries):,}"}
    ((label, count),) = labels.most_common(1)
    rest = sum(labels.values()) - count
    return f"{count:,} {label}" + (f" + {rest:,}" if rest else "")


def _by_call(folder: _Folder, entries: Sequence[_Entry], depth: int) -> Sequence[_Entry]:
    """Gather what was called in one call or turn, so many calls within each other.

    A turn that does nothing but call something has the name of that.
    """
    if len(entries) * FUNCTION_WEIGHT <= MOST_WEIGHT and depth == 0:
        return entries

    def call_of(entry: _Entry, depth: int = depth) -> Call | None:
        made = entry.functions[0].made
        return made.calls[depth] if made is not None and depth < len(made.calls) else None

    gathered: list[_Entry] = []
    for call, same in groupby(entries, key=call_of):
        run = list(same)
        if call is None:
            gathered += _by_line(folder, run)
        elif len(run) == len(entries) and depth > 0:
            gathered += _by_call(folder, run, depth + 1)
        elif len(run) == 1:
            gathered += run
        else:
            label: Label = ("group_turn", {"turn": call.name}) if call.is_turn else call.name
            inner = {call_of(entry, depth + 1) for entry in run} if call.is_turn else set()
            only = inner.pop() if len(inner) == 1 else None
            if only is not None and not only.is_turn:
                label = only.name
            gathered.append(folder.group(label, _by_call(folder, run, depth + 1)))
    return gathered


def _by_line(folder: _Folder, entries: Sequence[_Entry]) -> Sequence[_Entry]:
    """Gather neighbours that one line called, where that makes few groups of many functions."""
    if len(entries) * FUNCTION_WEIGHT <= MOST_WEIGHT:
        return entries
    by_line = groupby(entries, key=lambda entry: entry.functions[0].line)
    runs = [(line, list(run)) for line, run in by_line]
    if len(runs) == 1 or len(runs) * LEAST_RUN > len(entries):
        return entries
    gathered = []
    for line, run in runs:
        label = _name(folder, run) if line is None else ("group_line", {"line": f"{line}"})
        gathered.append(run[0] if len(run) == 1 else folder.group(label, run))
    return gathered


def _place_made(folder: _Folder, graph: Graph, nodes: Sequence[FunctionNode]) -> None:
    """Put each variable beside the function that made it, a result where it is seen at once."""
    used = {number for node in nodes for number in node.inputs}
    for node in nodes:
        for number in node.outputs:
            if number is not None:
                is_end = number in graph.results and number not in used
                folder.home["v", number] = ROOT if is_end else folder.home["f", node.index]


def _place_leaves(folder: _Folder, graph: Graph, nodes: Sequence[FunctionNode]) -> None:
    """Put each leaf into the innermost group that has all who use it.

    Leaves of one group with the same users in it are gathered into a group when they are many.
    """
    home = folder.home
    paths = folder.folded().paths()
    users: dict[int, list[tuple[Item, ...]]] = {}
    for node in nodes:
        item = ("f", node.index)
        for number in node.inputs:
            if ("v", number) not in home:
                users.setdefault(number, []).append((*paths[home[item]], item))
    alike: dict[tuple[int, bool, frozenset[Item]], list[_Entry]] = {}
    for number, used_by in users.items():
        depth = _common([path[:-1] for path in used_by])
        group = used_by[0][depth - 1][1] if depth else ROOT
        users_there = frozenset(path[depth] for path in used_by)
        is_constant = graph.variables[number].kind == "constant"
        entry = _Entry(("v", number), leaves=1)
        alike.setdefault((group, is_constant, users_there), []).append(entry)
    for (group, is_constant, _), leaves in alike.items():
        if len(leaves) > MOST_LEAVES:
            key = "group_constants" if is_constant else "group_leaves"
            leaves = [folder.group((key, {"count": f"{len(leaves):,}"}), leaves)]
        folder.fill(group, leaves)
    for number in graph.results:
        folder.home.setdefault(("v", number), ROOT)


def _common(paths: Sequence[Sequence[Item]]) -> int:
    """Return how many items all paths begin with."""
    depth = 0
    for step in zip(*paths, strict=False):
        if len(set(step)) > 1:
            break
        depth += 1
    return depth
