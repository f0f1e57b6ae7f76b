"""The report as one HTML page."""

import base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from kmeans_service.explaining.report.clusters import details, overview
from kmeans_service.explaining.report.content import Content
from kmeans_service.explaining.report.figures import short, shown, words
from kmeans_service.explaining.report.markup import element, table, terms, written
from kmeans_service.explaining.report.picture import picture

MOST_PLANNED = 200


def policy() -> str:
    """The page may use its own style, and nothing else: the header that it is served with."""
    digest = base64.b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def page(content: Content) -> str:
    """The whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy()),
        element("title", content.title),
        element("style", _style()),
    )
    body = element("body", element("main", *_sections(content)))
    return written(element("html", head, body, lang="en"))


def _sections(content: Content) -> list[Element | None]:
    clusters = content.clusters["clusters"]
    names = {each["label"]: each["name"] or str(each["number"]) for each in clusters}
    return [
        element("h1", content.title),
        terms(content.facts),
        _warnings(content),
        element("h2", "The picture"),
        picture(content.projection, names),
        *overview(content.clusters),
        *details(content.clusters),
        *_choice(content.choice),
        *_audit(content.audit),
        *_plan(content),
        element("h2", "How to make it again"),
        element("pre", element("code", content.request), tabindex="0"),
        element("h2", "Versions"),
        terms(content.versions.items()),
    ]


@cache
def _style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def _warnings(content: Content) -> Element | None:
    if not content.warnings:
        return None
    warnings = (element("li", warning) for warning in content.warnings)
    return element(
        "section", element("h2", "Warnings"), element("ul", *warnings, class_="warnings")
    )


def _choice(choice: Mapping[str, Any] | None) -> list[Element | None]:
    """The table over k, where the number of clusters was chosen."""
    if choice is None:
        return []
    candidates = choice["candidates"]
    head = list(candidates[0]) if candidates else []
    rows = [[shown(each[name]) for name in head] for each in candidates]
    evidence = choice["evidence"]
    beaten = [
        f"{each['references']}: {'beaten' if each['beaten'] else 'not beaten'} (a silhouette of "
        f"{short(each['needed'])} needed)"
        for each in evidence["references"]
    ]
    said = [
        ("verdict", str(choice["verdict"])),
        ("number of clusters", shown(choice["n_clusters"])),
        ("proposed by", f"the largest {words(evidence.get('index', 'calinski_harabasz'))}"),
        ("looked at", f"{choice['sample_size']:,} rows"),
        ("silhouette", shown(evidence["silhouette"])),
        ("data without clusters", "; ".join(beaten)),
        (
            "stability",
            f"{shown(evidence['stability'])} ({shown(evidence['stability_needed'])} needed)",
        ),
    ]
    found = table("What was found for each number of clusters", map(words, head), rows)
    return [element("h2", "Choice of the number of clusters"), terms(said), found]


def _audit(audit: Mapping[str, Any] | None) -> list[Element | None]:
    if audit is None:
        return []
    said = [(words(name), shown(value)) for name, value in audit.items() if value != []]
    return [element("h2", "How sure this optimum is"), terms(said)]


def _plan(content: Content) -> list[Element | None]:
    """What became of the file's columns."""
    rows = [list(each) for each in content.plan[:MOST_PLANNED]]
    more = len(content.plan) - len(rows)
    note = element("p", f"And {more:,} more columns.", class_="quiet") if more > 0 else None
    found = table("The columns of the file", ("Column", "Role", "Because"), rows)
    return [element("h2", "Columns used and left out"), found, note]
