"""The graph of a result, whichever engine made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ipygrad.capture.adapters.mirror import MirroredSites, Translation
from ipygrad.capture.backward import final_gradients
from ipygrad.capture.graph import capture_graph, value_as_name
from ipygrad.capture.names import NoCallSites, names_in
from ipygrad.capture.quiet import uncollected
from ipygrad.engine.core import Variable
from ipygrad.engine.methods import value_of
from ipygrad.engine.reverse import reverse_pass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.capture.adapters import Engines
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.capture.names import CallSites
    from ipygrad.engine.core import Array, Gradient


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

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the variables whose values the engine has not kept."""
        if self.translation is None:
            return ()
        nodes = self.graph.variables
        return tuple(n.name for n in nodes if not self.translation.is_known(n.variable))

    @property
    def cut_off(self) -> dict[str, str]:
        """Variables behind which the graph goes on unseen, and who made them: by name.

        One function object was called twice, and remembers its latest call only.
        """
        cut_off = {} if self.translation is None else self.translation.cut_off
        nodes = self.graph.variables
        return {n.name: cut_off[n.variable] for n in nodes if n.variable in cut_off}

    def leave_gradients(
        self, run: BackwardRun, again: Mapping[VariableNode, Variable] | None = None
    ) -> dict[VariableNode, tuple[Array, Array]]:
        """Leave gradients as the ``backward()`` of the result's own engine does.

        Parameters
        ----------
        run
            The pass over this graph.
        again
            Its gradients as Variables, to be left as ``create_graph=True`` does; only ours can.

        Returns
        -------
        dict
            For each variable that held a gradient before, that one and the one that it holds now.
        """
        if self.translation is None:
            return self._receive(run, again)
        nodes = [n for n in self.graph.variables if n.index != self.graph.results[0]]
        before = {node: self.translation.gradient_of(node.variable) for node in nodes}
        self.translation.run_backward(run.cotangent)
        after = {node: self.translation.gradient_of(node.variable) for node in nodes}
        return {
            node: (gradient, left)
            for node, gradient in before.items()
            if gradient is not None and (left := after[node]) is not None
        }

    def gradients_again(self, run: BackwardRun) -> dict[VariableNode, Variable]:
        """Return the gradients of a pass as Variables that can be differentiated again.

        Nothing is left anywhere.

        Raises
        ------
        BackwardError
            When a function's ``backward`` cannot be differentiated.
        """
        result = self.graph.variables[self.graph.results[0]].variable
        found: dict[Variable, Any] = {}
        for _ in reverse_pass(result, run.cotangent, found, create_graph=True):
            pass
        return {
            node: found[node.variable] for node in self.graph.variables if node.variable in found
        }

    def _receive(
        self, run: BackwardRun, again: Mapping[VariableNode, Variable] | None
    ) -> dict[VariableNode, tuple[Array, Array]]:
        numbers = final_gradients(self.graph, run)
        gradients: dict[VariableNode, Gradient] = {
            self.graph.variables[number]: gradient for number, gradient in numbers.items()
        }
        gradients.update(again or {})
        if run.origin == "by_hand":
            del gradients[self.graph.variables[self.graph.results[0]]]
        before = {node: _held(node) for node in gradients if node.variable.grad is not None}
        for node, gradient in gradients.items():
            node.variable.receive_grad(gradient)
        return {node: (held, _held(node)) for node, held in before.items()}


def _held(node: VariableNode) -> Array:
    return np.asarray(value_of(node.variable.grad))


@uncollected()
def capture(
    results: Sequence[object],
    engines: Engines,
    namespace: Mapping[str, object],
    sites: CallSites | None = None,
) -> Captured:
    """Read the graph of results of ours, or mirror that of another engine's.

    Parameters
    ----------
    results
        Variables that functions made: one, or several for a picture without a backward pass. Of
        those of different engines, the engine of the last one counts.
    engines
        Who knows of which engine they are.
    namespace
        Where the user's names stand.
    sites
        Who watched the functions being called.

    Raises
    ------
    TypeError
        When no engine is known that the last of them could be a variable of.
    """
    if isinstance(results[-1], Variable):
        ours = [result for result in results if isinstance(result, Variable)]
        return Captured(capture_graph(ours, namespace, sites), None)
    adapter = engines.adapter_of(results[-1])
    if adapter is None:
        kind = type(results[-1]).__name__
        raise TypeError(f"a {kind} is no variable of an engine that ipygrad knows")
    adapter.meet(namespace)
    translation = Translation(
        [result for result in results if engines.adapter_of(result) is adapter], adapter
    )
    mirrored = translation.mirrored(namespace)
    bound = names_in(mirrored)
    for leaf in translation.leaves:
        # Most often a number in a formula (2 * x), which other engines wrap as the user's own.
        if leaf.name is None and leaf not in bound:
            leaf.name = value_as_name(leaf.data)
    mirrored_sites = MirroredSites(translation, sites or NoCallSites(), mirrored)
    return Captured(capture_graph(translation.results, mirrored, mirrored_sites), translation)
