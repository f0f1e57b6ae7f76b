"""What is noted of a table, and lies beside its file."""

from typing import Any

from harness.api import Client
from harness.system import counted, keys, lie_there

TABLE = b"name,age,city\nAda,36,Paris\nGrace,85,\nAlan,41,London\nKurt,71,Brno\n"


def test_what_is_noted_of_a_table_is_counted_and_goes_with_its_job(
    client: Client, aws: Any
) -> None:
    client.upload(TABLE, "people.csv")
    noted = [key for key in keys() if key.endswith(".table.json.gz")]
    assert len(noted) == 1
    assert noted[0].startswith("inputs/tester/")
    assert counted() == lie_there(aws) > len(TABLE)
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)
