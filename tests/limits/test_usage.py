"""What an owner holds of what is allowed, as the list of jobs tells it."""

from harness.api import Client
from harness.limits import Set, refused


def test_the_list_tells_what_is_held_and_what_is_allowed(client: Client, limit: Set) -> None:
    limit(jobs=7, stored_bytes=1000)
    nothing = {"jobs": 0, "max_jobs": 7, "stored_bytes": 0, "max_stored_bytes": 1000}
    assert client.get("/kmeans/jobs?usage=true").json() == {"jobs": [], "usage": nothing}
    client.upload()
    [job] = client.get("/kmeans/jobs").json()["jobs"]
    listed = client.get("/kmeans/jobs?usage=true").json()
    assert listed["jobs"] == [job]
    assert listed["usage"]["jobs"] == 1
    assert job["size"] <= listed["usage"]["stored_bytes"] <= 1000
    client.call("DELETE", "/kmeans/jobs/0")
    assert client.get("/kmeans/jobs?usage=true").json()["usage"] == nothing


def test_it_is_told_where_it_is_asked_for_alone(client: Client) -> None:
    assert client.get("/kmeans/jobs?usage=false").json() == {"jobs": []}
    answer = client.get("/kmeans/jobs?usage=yes")
    refused(answer, 422, "invalid-parameter", "usage is 'yes'", "allowed is true, false")
