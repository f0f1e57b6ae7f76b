"""The web page as it is served: its files, its policy, and its words in every language."""

import base64
import re
from graphlib import CycleError
from hashlib import sha256
from pathlib import Path

import pytest

from docs import page
from docs.joined import joined
from harness.api import Client
from kmeans_service.explaining import report

ROOT = "/kmeans/"
MOST_BYTES = 200_000


def html(client: Client) -> str:
    return client.get(ROOT, Accept="text/html").text


def test_everything_together_is_small(client: Client) -> None:
    """Nothing on the way compresses it, so these are the bytes that go over the wire."""
    sizes = [len(text.encode()) for text in page.files().values()]
    assert sum(sizes) + len(html(client).encode()) < MOST_BYTES


def test_the_page_names_only_files_that_are_there(client: Client) -> None:
    named = re.findall(r'(?:href|src)="/kmeans/page/\w+/([\w.-]+)"', html(client))
    assert set(named) == {"app.js", "icon.svg"}
    for name in named:
        answer = client.get(f"/kmeans/page/{page.version()}/{name}")
        assert answer.text == page.files()[name]
        assert answer.headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize("name", page.sources())
def test_modules_import_each_other_alone(name: str) -> None:
    imported = re.findall(
        r"""(?:from |import |import\()["'`]([^"'`\n]+)["'`]""", page.sources()[name]
    )
    assert set(imported) <= {f"./{file}" for file in page.sources()}


def test_the_modules_are_served_as_one_each_behind_those_that_it_imports() -> None:
    served = page.files()["app.js"]
    names = re.findall(r"^// --- (\S+)$", served, re.M)
    assert sorted(names) == sorted(page.sources())
    for place, name in enumerate(names):
        needed = set(re.findall(r'\bfrom ?"\.+/([\w.-]+)";', page.sources()[name]))
        assert needed <= set(names[:place]), name


def test_what_a_module_exports_is_what_others_know_of_it() -> None:
    """Run by Chromium, too, in every other test of the page."""
    one = joined(
        {
            "b.js": 'import { f as g, h } from "./a.js";\nimport * as a from "./a.js";\ng(a, h);',
            "a.js": "export const f = 1;\nconst x = 2;\nexport { x as h };",
        }
    )
    assert one == (
        "// --- a.js\nconst $a_js = await (async () => {\nconst f = 1;\nconst x = 2;\n\n"
        "return { f, h: x };\n})();\n\n"
        "// --- b.js\nconst $b_js = await (async () => {\nconst { f: g, h } = $a_js;\n"
        "const a = $a_js;\ng(a, h);\nreturn {  };\n})();\n"
    )


def test_modules_of_lit_html_are_joined_as_npm_has_them() -> None:
    one = joined(
        {
            "c.js": 'import{n as r}from"../a.js";import{d}from"../b.js";const c=d(r);export{c};',
            "a.js": "const n=1;export{n};",
            "b.js": "const e=f=>f;export{e as d};",
        }
    )
    assert "const {n: r} = $a_js;const {d} = $b_js;const c=d(r);" in one
    assert "return { c };" in one


@pytest.mark.parametrize(
    "text",
    ["export default 1;", 'import "./a.js";', 'export * from "./a.js";', "export let a = 1;"],
)
def test_a_form_of_import_or_export_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        joined({"a.js": "", "b.js": text})


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        joined({"a.js": 'import { b } from "./b.js";', "b.js": 'import { a } from "./a.js";'})


def test_a_file_of_another_version_is_not_there(client: Client) -> None:
    """Two versions of a page would not fit together."""
    for path in (
        "0" * 16 + "/app.js",
        f"{page.version()}/index.html",
        f"{page.version()}/LICENSE",
        f"{page.version()}/job.js",
    ):
        assert client.get(f"/kmeans/page/{path}").status == 404


def test_the_policy_allows_nothing_inline_but_its_styles_and_no_other_host(client: Client) -> None:
    answer = client.get(ROOT, Accept="text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert {part.split()[0]: part.split()[1:] for part in policy.split("; ")}["script-src"] == [
        "'self'"
    ]
    assert not re.search(r"<script(?![^>]* src=)| style=| on\w+=", answer.text)
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy


def test_clusters_have_the_colours_that_they_have_in_the_report() -> None:
    """Twelve of each theme, which the report's tests show to be told apart."""
    colours = re.compile(r"--k\d+: (#\w{6})")
    ours = colours.findall(page.style())
    assert ours == colours.findall((Path(report.__file__).parent / "style.css").read_text())
    assert len(ours) == 24


def words_of(language: str) -> set[str]:
    """The names of the texts, also of those inside of others."""
    text = page.sources()[f"text.{language}.js"]
    return set(re.findall(r"^ {2}(\w+)[:(]", text, re.M))


def test_every_language_has_the_same_texts() -> None:
    languages = re.search(r"LANGUAGES = \{(.*)\}", page.sources()["text.js"])
    assert languages is not None
    listed = set(re.findall(r"\w+", languages[1]))
    there = {name.split(".")[1] for name in page.sources() if re.fullmatch(r"text\.\w+\.js", name)}
    assert listed == there == {"en", "de"}
    assert words_of("de") == words_of("en")


def test_every_text_that_a_module_asks_for_is_there() -> None:
    for name, source in page.sources().items():
        if not name.startswith(("text.", "lit-html")):
            assert set(re.findall(r"\bt\.(\w+)", source)) <= words_of("en"), name
