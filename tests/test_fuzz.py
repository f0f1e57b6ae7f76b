"""A short, repeatable run of `make fuzz`, and whether it would find something."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pytest

from fuzz import targets
from fuzz.mutation import corpus, inputs
from fuzz.targets import TARGETS, FaultError, run
from harness.data.csv_cases import INVALID, VALID
from kmeans_service import json_values
from kmeans_service.errors import InvalidCsv
from kmeans_service.http import multipart_form
from kmeans_service.tables import cells, dataset, survey

INPUTS = {"csv": 10_000, "table": 2_000, "multipart": 10_000, "json": 10_000}


@pytest.mark.thorough
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_nearly_right_makes_a_parser_do_wrong(name: str) -> None:
    taken = [run(TARGETS[name], body) for body in islice(inputs(name, seed=20261122), INPUTS[name])]
    assert INPUTS[name] * 0.02 < sum(taken) < INPUTS[name] * 0.9, "inputs should be nearly right"


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_handled(name: str) -> None:
    assert sum(run(TARGETS[name], body) for body in corpus(name)) >= 2


def test_the_plain_reading_of_the_grammar_is_the_right_one() -> None:
    for body, names, rows in VALID:
        written = [[float(number).hex() for number in row] for row in rows]
        assert targets.reference(body) == (names, written), body
    for body, *_ in INVALID:
        assert targets.reference(body) is None, body


def finds(name: str) -> bool:
    try:
        for body in [*corpus(name), *islice(inputs(name, seed=1), INPUTS[name])]:
            run(TARGETS[name], body)
    except FaultError:
        return True
    return False


def test_a_parser_that_reads_a_last_digit_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    read = dataset.parse_csv

    def wrong(*arguments: object) -> dataset.Dataset:
        found = read(*arguments)  # type: ignore[arg-type]
        return dataset.Dataset(np.nextafter(found.X, np.inf), found.feature_names)

    monkeypatch.setattr(dataset, "parse_csv", wrong)
    assert finds("csv")


def test_a_parser_that_lets_a_bad_cell_pass_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    read = dataset.parse_csv

    def lenient(body: bytes, *limits: object) -> dataset.Dataset:
        try:
            return read(body, *limits)  # type: ignore[arg-type]
        except InvalidCsv:
            return dataset.Dataset(np.zeros((1, 1)), None)

    monkeypatch.setattr(dataset, "parse_csv", lenient)
    assert finds("csv")


def test_a_form_that_loses_a_byte_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = multipart_form.Part

    def shorter(name: str, filename: str | None, content_type: str, body: bytes) -> object:
        return made(name, filename, content_type, body.replace(b"\r", b""))

    monkeypatch.setattr(multipart_form, "Part", shorter)
    assert finds("multipart")


def test_json_that_takes_a_key_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "_unique", dict)
    assert finds("json")


@pytest.mark.thorough
def test_a_cell_that_c_counts_as_another_kind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MISSING_WORDS", cells.MISSING_WORDS - {"NA"})
    assert finds("table")


def test_a_row_that_is_lost_where_blocks_are_cut_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(pieces: Iterable[bytes]) -> Iterator[survey.Block]:
        for piece in filter(None, pieces):
            yield survey.Block(piece, whole=True)

    monkeypatch.setattr(survey, "blocks", forgetful)
    assert finds("table")
