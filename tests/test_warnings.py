"""What a practitioner would want to know of a fit: said in its job and its scores."""

from typing import Any

import pytest

from harness.api import Client
from harness.limits import with_worker_memory
from harness.system import work_off


@pytest.fixture(params=["in_memory", "out_of_core"])
def _method(request: pytest.FixtureRequest, client: Client, monkeypatch: Any) -> None:
    assert client
    if request.param == "out_of_core":
        with_worker_memory(monkeypatch, 1)


def warnings(client: Client, body: bytes, **params: Any) -> list[str]:
    client.upload(body)
    assert client.fit(0, params).status in (200, 202)
    work_off()
    scores = client.get("/kmeans/jobs/0/scores").json()
    view = client.get("/kmeans/jobs/0").json()
    assert view.get("warnings") == scores.get("warnings") == view["scores"].get("warnings")
    found: list[str] = scores.get("warnings", [])
    return found


pytestmark = pytest.mark.usefixtures("_method")


def test_there_are_none_where_there_is_nothing_to_say(client: Client) -> None:
    assert warnings(client, b"1,9\n1,4\n2,0\n10,2\n9,4\n10,6\n") == []
    assert "warnings" not in client.get("/kmeans/jobs/0/scores").json()


def test_fewer_distinct_rows_than_clusters(client: Client) -> None:
    [said] = warnings(client, b"1,1\n2,2\n" * 5, n_clusters=4)
    assert "2 distinct rows, fewer than n_clusters=4" in said
    assert "2 clusters are empty" in said
    assert "Set n_clusters to 2" in said


def test_max_iter_reached(client: Client) -> None:
    body = b"".join(b"%d,%d\n" % (n % 17, n * 7 % 23) for n in range(300))
    [said] = warnings(client, body, n_clusters=5, max_iter=1, n_init=1)
    assert "max_iter=1" in said
    assert "Raise max_iter" in said


def test_a_column_far_from_zero_is_named(client: Client) -> None:
    rows = [(1700000000000 + n * 1000 % 7, n % 5, n * 3 % 8) for n in range(40)]
    body = b"when,x,y\n" + b"".join(b"%d,%d,%d\n" % row for row in rows)
    *_, said = warnings(client, body, n_init=1)
    assert said.startswith("Column 'when' lies ")
    assert "standard deviations from zero" in said


def test_columns_far_from_zero_without_names_are_numbered(client: Client) -> None:
    body = b"".join(
        b"%d,%d,%d,%d,%d\n" % (10**9 + n % 3, n % 5, 10**10 + n % 7, 10**9 + n % 2, 10**9 + n % 4)
        for n in range(60)
    )
    [said] = warnings(client, body)
    assert said.startswith("Column 1, column 3, column 4 and 1 more lie as much as ")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("a", "Column 'a' lies "),
        ("abc", "Column 'a', column 'b', column 'c' lie as much as "),
        ("abcd", "Column 'a', column 'b', column 'c' and 1 more lie as much as "),
        ("abcdef", "Column 'a', column 'b', column 'c' and 3 more lie as much as "),
    ],
)
def test_of_many_columns_a_sentence_names_three_and_counts_the_others(
    client: Client, names: str, said: str
) -> None:
    rows = "".join(
        ",".join(str(1700000000000 + (n + column) % 5) for column in range(len(names))) + "\n"
        for n in range(40)
    )
    found = warnings(client, f"{','.join(names)}\n{rows}".encode(), n_init=1)
    assert [sentence for sentence in found if sentence.startswith(said)]


def test_a_constant_column_is_far_from_nothing(client: Client) -> None:
    body = b"".join(b"1700000000000.1,%d,%d\n" % (n % 5, n * 3 % 8) for n in range(40))
    assert warnings(client, body) == []


def test_one_column_with_most_of_the_variance(client: Client) -> None:
    body = b"x,Income\n" + b"".join(b"%d,%d\n" % (n % 3, n * 1000) for n in range(40))
    [said] = warnings(client, body, n_init=1)
    assert said.startswith("Column 'Income' has 99.9 % of the variance")
    assert '"preprocessing": {"scaling": "standard"}' in said


def test_an_inertia_too_small_to_be_shown(client: Client) -> None:
    said = warnings(client, b"1e-200\n2e-200\n8e-200\n9e-200\n")
    assert client.get("/kmeans/jobs/0/scores").json()["inertia"] == 0
    assert any("smaller than the smallest number" in sentence for sentence in said)
