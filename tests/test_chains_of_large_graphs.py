"""The chain rule in graphs that are folded: some chains are kept, the kernel tells the others."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Function, Variable, backward_pass, functions, sin
from ipygrad.explain.paths import MOST_PATHS
from ipygrad.show.chains import CHAIN_CHARACTERS, MOST_CHAINS

if TYPE_CHECKING:
    from tests.shell import Shell

Json = dict[str, Any]
Edges = list[tuple[Variable, Variable, float]]


def padded(y: Variable) -> Variable:
    """Return y after so many functions that its graph is folded."""
    for _ in range(160):
        y = -y
    return y


def variables(bp: BackwardPass) -> dict[str, Json]:
    graph = bp._payload({})["graph"]
    return {variable["name"]: variable for variable in graph["variables"]}


def place(bp: BackwardPass, name: str) -> int:
    return next(node.index for node in bp.graph.variables if node.name == name)


def answer(bp: BackwardPass, variable: object, **values: float) -> Any:
    message = {"type": "chain", "variable": variable, "values": values}
    answered = bp._live.answer(json.loads(json.dumps(message)))
    return json.loads(json.dumps(answered, allow_nan=False))


def two_layers() -> tuple[Variable, Variable, Variable]:
    """Return x, h and the result; to x lead two paths through h, and one beside it."""
    x = Variable(0.5, name="x")
    h = sin(x)
    h.name = "h"
    return x, h, padded(h * h + 3.0 * x)


# --- which are kept, and what is said of the others ---


def test_leaves_and_names_of_the_users_own_are_kept() -> None:
    *_, y = two_layers()
    graph = backward_pass(y)._payload({})["graph"]
    kept = {v["name"]: v["chain"] for v in graph["variables"] if "chain" in v}
    assert [name for name, chain in kept.items() if chain] == ["x", "h"]
    assert kept["3"] is None
    assert kept[graph["variables"][-1]["name"]] is None
    assert len(kept) == 4
    assert graph["untold"]["rest"].startswith("This chain rule is not kept here. It comes from")


@pytest.mark.parametrize(("language", "word"), [("ko", "커널"), ("ja", "カーネル")])
def test_it_is_said_in_the_language_of_the_pass(language: str, word: str) -> None:
    *_, y = two_layers()
    untold = backward_pass(y, language=language)._payload({})["graph"]["untold"]
    assert all(word in text for text in untold.values())


def test_no_more_are_kept_than_the_budget_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    xs = [Variable(0.01 * number, name=f"x{number}") for number in range(200)]
    bp = backward_pass(functions.sin(sum(xs, start=Variable(0.0))))

    def kept() -> list[Json]:
        return [v["chain"] for v in variables(bp).values() if v.get("chain")]

    assert len(kept()) == MOST_CHAINS
    assert len(json.dumps(kept())) < CHAIN_CHARACTERS
    most = len(json.dumps(kept()[:4], ensure_ascii=False))
    monkeypatch.setattr("ipygrad.show.chains.CHAIN_CHARACTERS", most)
    assert len(kept()) == 4


def test_a_graph_that_is_drawn_whole_has_all() -> None:
    x = Variable(0.5, name="x")
    graph = backward_pass(sin(sin(x)))._payload({})["graph"]
    assert all("chain" in v for v in graph["variables"])
    assert "untold" not in graph


def test_what_was_restored_without_chains_promises_none() -> None:
    *_, y = two_layers()
    bp = BackwardPass.from_dict(backward_pass(y).to_dict())
    graph = bp._payload({})["graph"]
    assert {v["chain"] for v in graph["variables"]} == {None}
    assert "untold" not in graph
    assert answer(bp, 0)["chain"] is None


# --- what the kernel answers ---


def test_the_kernel_tells_the_chain_that_the_payload_would_hold() -> None:
    *_, y = two_layers()
    bp = backward_pass(y)
    number = place(bp, "x")
    told = answer(bp, number)
    assert told == {
        "type": "chain",
        "variable": number,
        "chain": json.loads(json.dumps(variables(bp)["x"]["chain"])),
        "values": {},
    }
    # One of which the payload has none.
    chain = answer(bp, place(bp, "multiply(h, h)"))["chain"]
    assert len(chain["paths"]) == 1
    assert chain["paths"][0]["text"].endswith(" = 1")
    factors = chain["paths"][0]["factors"]
    assert len(factors) == 8
    assert all(len(factor.split()) == 2 for factor in factors)


def test_under_a_knob_it_tells_that_of_the_other_value() -> None:
    *_, y = two_layers()
    bp = backward_pass(y)
    told = answer(bp, place(bp, "x"), **{"0": 0.0})
    assert told["values"] == {"0": 0.0}
    assert told["chain"]["total"]["text"] == "∂y/∂x = 3 + 0 + 0 = 3"


@pytest.mark.parametrize("variable", [None, "0", 1.0, True, -1, 10**6, [0]])
def test_what_is_no_variable_is_not_answered(variable: object) -> None:
    *_, y = two_layers()
    assert answer(backward_pass(y), variable) is None


def test_of_a_pass_that_is_cut_factors_that_are_not_kept_lead_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ipygrad.record.MOST_STEPS", 5)
    *_, y = two_layers()
    bp = backward_pass(y)
    graph = bp._payload({})["graph"]
    assert len(graph["functions"]) == 5
    for number, variable in enumerate(graph["variables"][:-1]):
        (path,) = answer(bp, number)["chain"]["paths"]
        assert path["factors"][-1].startswith(f"v{number} f"), variable["name"]


# --- which paths, with which numbers ---


def network(seed: int) -> tuple[Variable, Edges]:
    """Return a random network of numbers behind a long chain, with its edges and slopes."""
    generator = random.Random(seed)  # noqa: S311 - a network, no secret
    made = [Variable(1.0, name="x")]
    edges: Edges = []
    for _ in range(12):
        one, other = (generator.choice(made[-4:]) for _ in range(2))
        a, b = (round(generator.uniform(-2, 2), 3) for _ in range(2))
        y = Weighted(a, b)(one, other)
        edges += [(y, one, a), (y, other, b)]
        made.append(y)
    return made[-1], edges


class Weighted(Function):
    """A weighted sum of two numbers."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x0: Any, x1: Any) -> Any:
        return self.a * x0 + self.b * x1

    def backward(self, gy: Any) -> Any:
        return self.a * gy, self.b * gy


def products(y: Variable, x: Variable, edges: Edges) -> list[float]:
    """Return the product along each path, found by walking all of them."""
    if y is x:
        return [1.0]
    return [
        slope * product
        for start, end, slope in edges
        if start is y
        for product in products(end, x, edges)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_the_paths_are_the_largest_of_all_that_there_are(seed: int) -> None:
    y, edges = network(seed)
    bp = backward_pass(padded(y))
    leaf = next(node for node in bp.graph.variables if node.kind == "leaf")
    expected = sorted(products(y, leaf.variable, edges), key=abs, reverse=True)
    found = bp._findings.chain(leaf.index)
    assert found is not None
    values = [float(path.evaluate({})) for path in found.paths]
    np.testing.assert_allclose(np.abs(values), np.abs(expected[:MOST_PATHS]))
    assert found.count == len(expected)
    assert "≠" not in found.text
    assert x_total(found.text) == pytest.approx(sum(expected), rel=1e-3)


def x_total(text: str) -> float:
    return float(text.splitlines()[-1].rpartition(" ")[2].replace("−", "-"))


def test_zeros_and_what_is_not_finite_have_their_places() -> None:
    x = Variable(0.0, name="x")
    terms = [x * 0.0, functions.sqrt(x), 2.0 * x]
    with np.errstate(all="ignore"):
        bp = backward_pass(padded(sum(terms, start=Variable(0.0))))
        found = bp._findings.chain(place(bp, "x"))
    assert found is not None
    assert [path.text.rpartition(" ")[2] for path in found.paths] == ["inf", "2", "0"]


def test_thousands_of_doublings_are_counted_and_not_walked() -> None:
    y = Variable(0.0, name="x")
    for _ in range(3_000):
        y = (y + y) * 0.5
    found = answer(backward_pass(y), 0)["chain"]
    assert found["more"] == "and about 1e903 more paths"
    assert len(found["paths"]) == MOST_PATHS


def test_arrays_are_sent_along_each_path_alone() -> None:
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(2, 3)), name="x")
    bp = backward_pass(functions.sum(padded(functions.tanh(x) * functions.sin(x) + x)))
    found = bp._findings.chain(place(bp, "x"))
    assert found is not None
    assert found.count == len(found.paths) == 3
    gradient = 1.0 + np.cos(x.data) * np.tanh(x.data) + np.sin(x.data) / np.cosh(x.data) ** 2
    np.testing.assert_allclose(sum(path.evaluate({}) for path in found.paths), gradient)
    assert "≠" not in found.text


def test_arrays_are_sent_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Variable(np.ones((3, 5)), name="x")
    h = functions.sin(x) + functions.tanh(x)
    bp = backward_pass(functions.sum(padded(h * h)))
    monkeypatch.setattr("ipygrad.explain.largest_paths.MOST_SENT", 2)
    found = bp._findings.chain(place(bp, "x"))
    assert found is not None
    ends = [path.text.rpartition(" ")[2] for path in found.paths]
    assert ends == ["5)", "–", "–", "–"]
    assert found.total is not None
    assert found.total.text.endswith("= array (3, 5)")


@pytest.mark.parametrize(("order", "found"), [("overwrite", "32"), ("depth-first", "96")])
def test_in_a_wrong_order_of_turns_the_paths_are_the_same(
    shell: Shell, order: str, found: str
) -> None:
    cell = "x = Variable(np.array(2.0))\na = square(x)\ny = square(a) + square(a)\n"
    shell.run(f"%%grad -q --order {order} -o bp\n{cell}for _ in range(160):\n    y = -y\n")
    *_, total = shell["bp"].chain("x").splitlines()
    assert total.endswith(f" = {found} ≠ 32 + 32 = 64")
