"""The web page as it is served: its files, its policy, and its words in every language."""

import re
from pathlib import Path

import pytest

from docs import page
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
    assert {"app.js", "lit-html.js", "style.css", "icon.svg"} <= set(named)
    for name in named:
        answer = client.get(f"/kmeans/page/{page.version()}/{name}")
        assert answer.text == page.files()[name]
        assert answer.headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize("name", [name for name in page.files() if name.endswith(".js")])
def test_modules_import_each_other_alone(name: str) -> None:
    imported = re.findall(
        r"""(?:from |import |import\()["'`]([^"'`\n]+)["'`]""", page.files()[name]
    )
    for other in imported:
        known = {f"./{file}" for file in page.files()}
        assert other in known or other == "./text.${language}.js", other


def test_a_file_of_another_version_is_not_there(client: Client) -> None:
    """Two versions of a page would not fit together."""
    for path in ("0" * 16 + "/app.js", f"{page.version()}/index.html", f"{page.version()}/LICENSE"):
        assert client.get(f"/kmeans/page/{path}").status == 404


def test_the_policy_allows_nothing_inline_and_no_other_host(client: Client) -> None:
    answer = client.get(ROOT, Accept="text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert {part.split()[0]: part.split()[1:] for part in policy.split("; ")}["script-src"] == [
        "'self'"
    ]
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)


def test_clusters_have_the_colours_that_they_have_in_the_report() -> None:
    """Twelve of each theme, which the report's tests show to be told apart."""
    colours = re.compile(r"--k\d+: (#\w{6})")
    ours = colours.findall(page.files()["style.css"])
    assert ours == colours.findall((Path(report.__file__).parent / "style.css").read_text())
    assert len(ours) == 24


def words_of(language: str) -> set[str]:
    """The names of the texts, also of those inside of others."""
    text = page.files()[f"text.{language}.js"]
    return set(re.findall(r"^ {2}(\w+)[:(]", text, re.M))


def test_every_language_has_the_same_texts() -> None:
    languages = re.search(r"LANGUAGES = (\[.*\])", page.files()["text.js"])
    assert languages is not None
    listed = set(re.findall(r'"(\w+)"', languages[1]))
    there = {name.split(".")[1] for name in page.files() if re.fullmatch(r"text\.\w+\.js", name)}
    assert listed == there == {"en", "de"}
    assert words_of("de") == words_of("en")


def test_every_text_that_a_module_asks_for_is_there() -> None:
    for name, source in page.files().items():
        if name.endswith(".js") and not name.startswith(("text.", "lit-html")):
            assert set(re.findall(r"\bt\.(\w+)", source)) <= words_of("en"), name
