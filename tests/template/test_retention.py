"""How long anything is kept."""

from harness.template.reading import lifecycle, properties, ref, resources


def test_no_version_of_an_object_goes_before_its_job_does_and_none_stays_for_ever() -> None:
    """A job reads its own version of a key, also when there is a newer one."""
    [expiry, markers] = lifecycle()
    for rule in (expiry, markers):
        assert rule["Status"] == "Enabled"
        assert not {"Prefix", "Filter", "TagFilters", "Transitions"} & rule.keys()
    assert expiry["ExpirationInDays"] == ref("JobExpiryDays")
    assert expiry["NoncurrentVersionExpiration"] == {"NoncurrentDays": ref("JobExpiryDays")}
    assert expiry["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert markers["ExpiredObjectDeleteMarker"] is True


def test_logs_are_kept_as_long_as_was_chosen() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert groups.keys() == {"FunctionLogs", "ApiLogs"}
    for name, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == ref("LogRetentionDays"), name


def test_the_table_is_paid_by_the_call_and_its_index_shows_whole_jobs() -> None:
    table = properties("JobsTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert {
        entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]
    } == {
        "pk": "S",
        "sk": "S",
        "gsi1pk": "S",
        "due_at": "N",
    }
    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]
    [index] = table["GlobalSecondaryIndexes"]
    assert [key["KeyType"] for key in index["KeySchema"]] == ["HASH", "RANGE"]
    assert index["Projection"] == {"ProjectionType": "ALL"}
