"""The report: one page that needs nothing else, in which nothing of the user's is markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from xml.etree.ElementTree import tostring

import numpy as np
import pytest
from sklearn.datasets import load_iris

from harness.explaining.fits import Fit, fit_of
from harness.explaining.reports import HOSTILE, content_of
from kmeans_service.arrays import Array
from kmeans_service.explaining.report.marks import N_MARKS, SHAPES, mark
from kmeans_service.explaining.report.page import page, policy
from kmeans_service.explaining.report.picture import ticks

VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture
def iris() -> Fit:
    data = load_iris()
    return fit_of(data.data, list(data.feature_names), None, 3)


def test_marks_of_clusters_differ_in_shape_and_color_and_the_first_is_a_dot() -> None:
    drawn = [tostring(mark(label), "unicode") for label in range(N_MARKS)]
    assert len({re.sub(" k[0-9]+", "", each) for each in drawn}) == N_MARKS
    assert [f'class="dot k{label}"' in each for label, each in enumerate(drawn)] == [
        True,
        *[False] * (N_MARKS - 1),
    ]
    assert all(f'class="mark k{label}"' in drawn[label] for label in range(1, N_MARKS))


class Tags(HTMLParser):
    """Which tags and attributes a browser would see, and what text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_is_whole_and_asks_for_nothing(iris: Fit) -> None:
    text = page(content_of(iris))
    seen = Tags(text)
    assert seen.open == []
    assert text.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not [name for name, _ in seen.attributes if name in ("src", "href", "style")]
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_a_page_says_what_the_answer_says(iris: Fit) -> None:
    content = content_of(iris)
    seen = Tags(page(content)).text
    for cluster in content.clusters["clusters"]:
        assert cluster["sentence"] in seen
        assert cluster["rule"]["text"] in seen
    assert "they show 98 % of the variance. Every row is drawn." in seen
    assert "line 9 of the file" in seen


def test_nothing_that_a_user_named_is_markup(iris: Fit) -> None:
    plain = Tags(page(content_of(iris)))
    names = [HOSTILE, "b", "c", "d"]
    fit = fit_of(iris.values, names, iris.labels.tolist())
    hostile = content_of(fit, HOSTILE, HOSTILE)
    for each in hostile.clusters["clusters"]:
        each["name"] = HOSTILE
    text = page(hostile)
    seen = Tags(text)
    assert seen.tags == plain.tags
    assert {name for name, _ in seen.attributes} == {name for name, _ in plain.attributes}
    assert "alert(1)" in seen.text
    assert "\x00" not in text
    assert "\u202e" not in text


def test_choice_audit_and_names_stand_in_the_page_where_they_are(iris: Fit) -> None:
    content = content_of(iris)
    content.clusters["clusters"][0]["name"] = "Middling"
    candidates = [{"n_clusters": 2, "silhouette": 0.68}, {"n_clusters": 3, "silhouette": None}]
    box = {"references": "uniform in a box", "needed": 0.5, "beaten": True}
    evidence = {"silhouette": 0.68, "references": [box], "stability": 1.0, "stability_needed": 0.9}
    choice = {"n_clusters": 2, "verdict": "clear", "evidence": evidence, "sample_size": 150}
    found = replace(
        content,
        choice={**choice, "candidates": candidates},
        audit={"best_inertia": 78.85, "distinct_optima": 2},
    )
    seen = Tags(page(found)).text
    assert "Choice of the number of clusters" in seen
    assert "uniform in a box: beaten (a silhouette of 0.5 needed)" in seen
    assert "1 (0.9 needed)" in seen
    assert "0.68" in seen
    assert "best inertia78.85" in seen
    assert seen.count("Middling") >= 3
    assert "Choice of the number" not in Tags(page(content)).text


def test_the_policy_lets_the_pages_own_style_pass_and_nothing_else(iris: Fit) -> None:
    assert policy().startswith("default-src 'none'; style-src 'sha256-")
    assert f'content="{policy()}"' in page(content_of(iris))


def test_names_along_an_axis_are_no_longer_than_it(iris: Fit) -> None:
    content = content_of(iris)
    axes = [{**axis, "text": "x" * 200} for axis in content.projection["axes"]]
    text = page(replace(content, projection={**content.projection, "axes": axes}))
    assert "x" * 69 + "…" in text
    assert "x" * 45 + "…</text>" in text
    assert "x" * 70 not in text


@pytest.mark.thorough
def test_a_page_of_many_rows_and_clusters_can_be_mailed() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(60_000, 10))
    labels = (X[:, 0] * 60).astype(int)
    text = page(content_of(fit_of(X, list("abcdefghij"), labels.tolist())))
    assert len(text.encode()) < 500_000
    assert "The 24 largest of 60 clusters." in text


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-3.2, 4.1, ["-2", "0", "2", "4"]),
        (0.11, 0.29, ["0.15", "0.20", "0.25"]),
        (0.0, 52_000.0, ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]),
    ],
)
def test_an_axis_has_round_numbers(low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in ticks(low, high)] == texts


# --- colours --------------------------------------------------------------------

# Machado, Oliveira, Fernandes 2009, severity 1.
SEEN_BY = {
    "all": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Ottosson 2020.
TO_LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(colours: list[str]) -> Array:
    text = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in colours]
    share = np.array(text)
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def themes(style: str) -> list[tuple[str, list[str]]]:
    papers = re.findall(r"--paper: (#\w+)", style)
    colours = re.findall(r"--k\d+: (#\w{6})", style)
    return [
        ("#ffffff" if papers[0] == "#fff" else papers[0], colours[:N_MARKS]),
        (papers[1], colours[N_MARKS:]),
    ]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_twelve_clusters_are_told_apart_by_everybody_and_stand_out_from_the_paper(
    iris: Fit, theme: int
) -> None:
    style = page(content_of(iris)).split("<style>")[1].split("</style>")[0]
    paper, colours = themes(style)[theme]
    assert len(set(colours)) == len(set(SHAPES)) == N_MARKS
    light = linear([paper, *colours]) @ [0.2126, 0.7152, 0.0722]
    contrast = (np.maximum(light[1:], light[0]) + 0.05) / (np.minimum(light[1:], light[0]) + 0.05)
    assert contrast.min() >= 3  # WCAG 2.2, 1.4.11
    for eyes in SEEN_BY.values():
        seen = np.clip(linear(colours) @ np.array(eyes).T, 0, 1)
        lab = np.cbrt(seen @ np.array(TO_LMS).T) @ np.array(TO_OKLAB).T
        nearest = min(np.linalg.norm(one - other) for one, other in combinations(lab, 2))
        assert nearest >= 0.1  # a difference of 0.02 is just seen
