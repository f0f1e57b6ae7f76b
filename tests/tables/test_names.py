"""Names of identifiers and of measures."""

import pytest

from kmeans_service.recipes.identifiers import is_identifier, words


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "userId",
        "USER_ID",
        "patient.id",
        "zipCode",
        "zip",
        "fips",
        "countrycode",
        "barcode",
        "Country_Code",
        "key",
        "nr",
        "fips_x",
        "ssn",
        "isbn",
        "subject",
        "firm",
        "home_state",
        "xCounty",
        "caseid",
        "idcase",
        "studyno",
        "hhnum",
        "rowcod",
        "item_no",
        "PIDNUM",
        "order.nr",
        "HTMLPageID",
    ],
)
def test_names_of_identifiers(name: str) -> None:
    assert is_identifier(name, [name], all_distinct=False)


@pytest.mark.parametrize(
    "name",
    [
        "num",
        "number",
        "pid",
        "mid",
        "hr",
        "week",
        "town",
        "rank",
        "no2",
        "age",
        "width",
        "price",
        "idle",
        "index_of_dispersion",
        "grid",
        "stateful",
        "percent_state_income",
        "video",
        "keyboard",
        "code_length",
        "unicode_share",
        "no",
        "index_price",
    ],
)
def test_names_of_measures(name: str) -> None:
    assert not is_identifier(name, [name], all_distinct=False)


def test_no_alone_is_an_identifier_only_where_it_is_no_answer() -> None:
    assert is_identifier("no", ["no", "x"], all_distinct=True)
    assert not is_identifier("no", ["no", "yes"], all_distinct=True)
    assert is_identifier("index", ["index"], all_distinct=False)
    assert is_identifier("row index", ["x"], all_distinct=True)
    assert not is_identifier("price index", ["x"], all_distinct=False)


def test_names_are_split_where_a_reader_would() -> None:
    assert words("HTMLPageID") == ["html", "page", "id"]
    assert words("no2.max_value") == ["no2", "max", "value"]
