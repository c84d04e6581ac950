"""Korean, Japanese and English: whole tables, and nothing English left in what is shown."""

from __future__ import annotations

import json
import re
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Variable, backward_pass, exp, square
from ipygrad import functions as F  # noqa: N812
from ipygrad.__main__ import main
from ipygrad.explain.products import step_formula
from ipygrad.explain.words import FOLDER, LANGUAGES
from ipygrad.record import BackwardPass
from ipygrad.show.sizes import text_columns
from ipygrad.show.tables import text_table
from tests.shell import SEED, Shell
from tests.test_magic import completions
from tests.test_stages import FORWARD, MANUAL, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Tables = dict[str, dict[str, str]]

OTHERS = [language for language in LANGUAGES if language != "en"]
LETTERS = {"ko": "[가-힣]", "ja": "[ぁ-ヿ一-鿿]"}
TITLES = {"en": "Backward pass of y", "ja": "y の逆伝播", "ko": "y의 역전파"}
# What a reader of any language types: names of Python, of numpy and of ipygrad.
TERMS = {
    *("array", "nan", "inf", "print", "shape"),
    *("Variable", "forward", "backward", "grad", "gy", "creator", "set_creator", "cleargrad"),
    *("output", "self", "__call__", "table"),
}
NEUTRAL = {"position", "box_arrived", "plot_jacobian", "list", "between"}
"""Texts that may be the same in all languages."""
# In a payload, what is code, a name, a formula, a number, or for the front end alone.
NOT_WORDS = {
    *("math", "exact", "lines", "expressions", "plot", "source", "styles", "values"),
    *("label", "name", "kind", "role", "shape", "language", "interfaces", "words"),
    *("sentences", "states"),
}
STATUSES = {"agrees", "disagrees", "not_checked"}


def tables(language: str) -> Tables:
    read: Tables = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return read


def placeholders(text: str) -> set[tuple[str, str | None]]:
    return {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None}


def latin(text: str) -> set[str]:
    """Return the words in Latin letters of a text."""
    return set(re.findall("[A-Za-z_]*[A-Za-z][A-Za-z_]+", text))


# --- the tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
def test_a_table_has_every_key_and_no_other(language: str) -> None:
    english, other = tables("en"), tables(language)
    assert list(other) == list(english)
    for section, texts in english.items():
        assert {"missing": set(texts) - set(other[section])} == {"missing": set()}
        assert {"unknown": set(other[section]) - set(texts)} == {"unknown": set()}


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_has_the_placeholders_of_the_english_one(language: str) -> None:
    for section, texts in tables("en").items():
        translated = tables(language)[section]
        differing = [
            key
            for key in texts
            if placeholders(texts[key]) != placeholders(translated.get(key, texts[key]))
        ]
        assert differing == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_left_in_english(language: str) -> None:
    for section, texts in tables("en").items():
        for key, text in tables(language)[section].items():
            words = re.sub(r"\{\w*[^{}]*\}", "", text).replace("%%grad", "")
            assert latin(words) <= TERMS, key
            if key not in NEUTRAL:
                assert text != texts[key], key
                assert re.search(LETTERS[language], text), key


def test_no_korean_particle_depends_on_a_value() -> None:
    particle = re.compile(r"\}(을|를|이|가|은|는|과|와|로|으로)(?![가-힣(])")
    for texts in tables("ko").values():
        assert [key for key, text in texts.items() if particle.search(text)] == []


# --- what is shown ------------------------------------------------------------------------------


def seed(language: str) -> BackwardPass:
    x = Variable(np.array(0.5), name="x")
    a = square(x)
    b = exp(a)
    y = square(b)
    return backward_pass(y, language=language)


def layer(language: str) -> BackwardPass:
    """Return a pass with matrices, broadcasting, a constant and a gate."""
    w, x = Variable(np.full((3, 2), 0.3), name="w"), Variable(np.arange(6.0).reshape(2, 3))
    c = Variable(np.array([0.1, 0.2]), name="c")
    return backward_pass(F.sum(F.relu(x @ w + c) * 2), language=language)


def many_paths(language: str) -> BackwardPass:
    x = Variable(1.0, name="x")
    y = x
    for _ in range(100):
        y = y + y
    return backward_pass(y, language=language)


def without_end(language: str) -> BackwardPass:
    x = Variable(0.0, name="x")
    with np.errstate(all="ignore"):
        return backward_pass(F.log(x) * x + F.clip(F.sqrt(x), 0.0, 1.0), language=language)


def too_large(language: str) -> BackwardPass:
    x = Variable(0.5, name="x")
    y = x
    for _ in range(400):
        y = F.sin(y)
    return backward_pass(y, language=language)


def every_role(language: str) -> BackwardPass:
    """Return a pass with one function for most of the sentences that say what one does."""
    x = Variable(np.array([[0.3, 0.6], [0.7, 0.4]]), name="x")
    elementwise = [F.abs(x), F.floor(x), F.relu(x), F.leaky_relu(x), x**2.0, -x, 1 / x, x - 1]
    shaped = [x.T, x[0], F.pad(x, 1), F.tile(x, (2, 1)), F.softmax(x, axis=1), F.cumsum(x, 0)]
    made = [F.max(x), F.min(x), F.mean(x), F.prod(x), F.var(x), F.norm(x), F.trace(x), F.det(x)]
    joined = [F.inv(x), F.solve(x, x), F.concatenate([x, x]), F.einsum("ij,jk->ik", x, x)]
    several = [F.maximum(x, 0.5), F.minimum(x, 0.5), F.where(x.data > 0.5, x, 0.0)]
    all_made = [*elementwise, *shaped, *made, *joined, *several, *F.split(x, 2)]
    y = F.mean_squared_error(x, x * 0.5)
    for each in all_made:
        y = y + F.sum(each)
    return backward_pass(y, language=language)


PASSES = [seed, layer, many_paths, without_end, too_large, every_role]


def told(value: Any) -> Iterator[str]:
    """Yield the texts of a payload that are neither code nor names, numbers nor formulas."""
    if isinstance(value, str) and value not in STATUSES:
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from told(each)
    elif isinstance(value, dict) and "math" not in value:
        for key, each in value.items():
            if key not in NOT_WORDS:
                yield from told(each)


def english_in(bp: BackwardPass) -> set[str]:
    """Return the words of a page and a table that are neither names, formulas nor terms."""
    payload = bp._payload({})
    named = [node.name for node in bp.graph.variables]
    named += [node.label for node in bp.graph.functions]
    formulas = [
        formula.text
        for step in bp._bare
        for argnum in range(len(step.contributions))
        if (formula := step_formula(bp.graph, step, argnum))
    ]
    shown = [*told(payload), *bp.table(width=10_000).split("\n"), str(bp).split("\n")[-1]]
    known = TERMS.union(*map(latin, [*named, *formulas]))
    return {word for text in shown for word in latin(text.replace("%%grad", "")) - known}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("made", PASSES, ids=lambda made: str(made.__name__))
def test_no_english_is_left_in_what_is_shown(
    made: Callable[[str], BackwardPass], language: str
) -> None:
    bp = made(language)
    assert english_in(bp) == set()
    assert english_in(BackwardPass(bp.graph, None, language=language)) == set()
    again = BackwardPass.from_dict(json.loads(json.dumps(bp.to_dict())))
    assert str(again) == str(bp)


# Of each cell: the classes that it needs, and what it runs.
WRONG = {
    "a wrong backward": """
class Cube(Function):
    def forward(self, x): return x ** 3
    def backward(self, gy): return 2 * self.input.data ** 2
class Twice(Function):
    def forward(self, x): return 2 * x
    def backward(self, gy): return gy
x = Variable(np.array(0.8)); w = Variable(np.ones(3)); y = Cube()(x) + F.sum(Twice()(w))
""",
    "changed in place": "x = Variable(np.array(2.0))\ny = exp(x)\nz = square(y)\nx.data += 1\nz",
    "a backward that fails": """
class Bad(Function):
    def forward(self, x): return 2 * x
    def backward(self, gy): return None
x = Variable(np.array(0.8)); y = square(Bad()(x))
""",
    "left over": "x = Variable(np.array(2.0))\nx.grad = np.array(3.0)\ny = square(x)",
    "by hand": "x = Variable(np.array(2.0))\na = square(x)\ny = exp(a)\ny.backward()",
}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("cell", WRONG)
def test_what_goes_wrong_is_told_in_the_language(shell: Shell, cell: str, language: str) -> None:
    shell.run("from ipygrad import functions as F")
    shell.run(f"%%grad -o bp --lang {language}\n{WRONG[cell]}")
    bp = shell["bp"]
    # What an exception says is English.
    message = latin(bp.error or "")
    assert english_in(bp) <= message
    assert re.search(LETTERS[language], str(bp))


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("order", ["overwrite", "depth-first"])
def test_wrong_orders_are_told_in_the_language(shell: Shell, order: str, language: str) -> None:
    shell.run(
        f"%%grad -o bp --lang {language} --order {order}\n"
        "x = Variable(np.array(2.0))\na = square(x)\ny = square(a) + square(a)"
    )
    assert english_in(shell["bp"]) == set()


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize(
    ("stage", "end"), [(4, ""), (6, MANUAL), (7, "y.grad = np.array(1.0)\ny.backward()"), (20, "")]
)
def test_learners_own_classes_are_told_in_the_language(
    shell: Shell, stage: int, end: str, language: str
) -> None:
    shell.run("%reset -f")
    shell.run((STAGES / f"stage{stage:02}.py").read_text("utf-8"))
    shell.run(f"%%grad -o bp --lang {language}\n{FORWARD}{end}")
    assert english_in(shell["bp"]) == set()


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("made", PASSES, ids=lambda made: str(made.__name__))
def test_the_table_is_aligned_in_80_columns(
    made: Callable[[str], BackwardPass], language: str
) -> None:
    rows = text_table(made(language)._shown).split("\n")
    rule = next(row for row in rows if row.startswith("--"))
    gaps = [match.start() for match in re.finditer("  ", rule)]
    for row in rows:
        # Each letter at the column in which a terminal shows it; a wide one takes two.
        shown = "".join(letter + "\0" * (text_columns(letter) - 1) for letter in row)
        assert len(shown) <= 80
        assert all(shown[gap : gap + 2].strip(" ") == "" for gap in gaps)


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("made", [seed, layer, without_end], ids=lambda made: str(made.__name__))
def test_pictures_have_only_letters_that_every_font_has(
    made: Callable[[str], BackwardPass], language: str, tmp_path: Path
) -> None:
    # A letter that the font lacks would be a warning, and so an error here.
    bp = made(language)
    bp.savefig(tmp_path / "still.svg")
    bp.animate(tmp_path / "pass.gif", size=(320, 320))
    svgs = [(tmp_path / "still.svg").read_text("utf-8"), *bp._all_plots().values()]
    assert len(svgs) == 1 + len(bp)
    assert not any(re.search(LETTERS[language], svg) for svg in svgs)
    for frame in bp._frames():
        assert not re.search(LETTERS[language], json.dumps(frame.told, ensure_ascii=False))


# --- how it is chosen ---------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_by_an_option_by_configuration_and_in_python(shell: Shell, language: str) -> None:
    title = TITLES[language]
    assert title in shell.run(f"%%grad --lang {language}\n{SEED}").text
    assert title in shell.run(f"%grad y --lang {language}").text
    shell.run(f'%config GradMagics.language = "{language}"')
    assert title in shell.run("%%grad\n" + SEED).text
    assert TITLES["ko"] in shell.run("%grad y --lang ko").text
    shell.run(f'bp = backward_pass(y, language="{language}")')
    assert str(shell["bp"]).startswith(title)


def test_by_an_option_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("from ipygrad import Variable, exp\ny = exp(Variable(0.5))\n")
    assert main([str(script), "--lang", "ko"]) == 0
    assert capsys.readouterr().out.startswith(TITLES["ko"])
    page = tmp_path / "page.html"
    assert main([str(script), "--lang", "ko", "-o", str(page)]) == 0
    assert '<html lang="ko">' in page.read_text("utf-8")


def test_an_unknown_language_is_refused_with_those_that_are_known(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match=r"^language is 'en', 'ja' or 'ko', not 'fr'$"):
        seed("fr")
    by_option = shell.run("%%grad --lang fr\n" + SEED).text
    shell.run('%config GradMagics.language = "fr"')
    for said in (by_option, caplog.text):
        assert all(language in said for language in LANGUAGES)
    assert shell.run("%%grad\n" + SEED).is_fine


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pass_that_is_restored_keeps_its_language(language: str) -> None:
    bp = seed(language)
    again = BackwardPass.from_dict(bp.to_dict(plots=True))
    assert again._payload({}) == {**bp._payload({}), "knobs": []}


def test_an_unknown_language_in_data_is_refused() -> None:
    with pytest.raises(ValueError, match="language"):
        BackwardPass.from_dict(seed("ko").to_dict() | {"language": "fr"})


def test_where_none_is_chosen_a_page_has_the_buttons_in_every_language() -> None:
    payload = seed("")._payload({})
    assert payload["language"] == "en"
    assert payload["interfaces"] == {name: tables(name)["interface"] for name in OTHERS}
    for language in LANGUAGES:
        assert seed(language)._payload({})["interfaces"] == {}


def test_the_languages_are_completed(shell: Shell) -> None:
    assert set(LANGUAGES) <= completions(shell, "%%grad --lang ")
