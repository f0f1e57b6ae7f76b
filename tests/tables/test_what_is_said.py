"""What a fit says that it did with a table's gaps and rows."""

import pytest

from harness.api import Client

ONE = b"name,a,b\nx,1,1\ny,,2\nz,9,8\nu,10,9\n"
TWO = b"name,a,b\nx,1,1\ny,,2\nz,9,\nu,10,9\nv,,\n"


@pytest.mark.parametrize(
    ("table", "missing", "said"),
    [
        (ONE, "mean", ["Missing cells became the mean of their column: 1 in one column."]),
        (
            TWO,
            "median",
            [
                "Missing cells became the median of their column: 4 in 2 columns.",
                "Dropped, without a label: 1 row in which every used cell is missing.",
            ],
        ),
        (TWO, "drop", ["Dropped, without a label: 3 rows in which a used cell is missing."]),
    ],
)
def test_gaps_that_were_filled_and_rows_that_were_dropped_are_counted(
    client: Client, table: bytes, missing: str, said: list[str]
) -> None:
    client.upload(table)
    asked = {"model_params": {"n_clusters": 2}, "preprocessing": {"missing": missing}}
    assert client.post_json("/kmeans/fit", {"job_id": 0, **asked}).status == 200
    warnings = client.get("/kmeans/jobs/0").json()["warnings"]
    assert [one for one in warnings if one.startswith(("Missing", "Dropped"))] == said
