"""What the table's writes and conditions look like on the wire."""

from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service.table.expressions import Change, Rendered, adds, has, removes, sets


def spoken(text: str, names: dict[str, str], values: dict[str, Any]) -> str:
    """An expression with its names and values put in, for people."""
    told = names | {name: next(iter(value.values())) for name, value in values.items()}
    for placeholder in sorted(told, key=len, reverse=True):
        text = text.replace(placeholder, str(told[placeholder]))
    return text


def change(given: Change) -> str:
    arguments = Rendered().change(given).arguments
    return spoken(
        arguments["UpdateExpression"],
        arguments["ExpressionAttributeNames"],
        arguments.get("ExpressionAttributeValues", {}),
    )


def test_a_change_sets_adds_and_removes() -> None:
    given = sets(status="RUNNING", due_at=7) | adds(fence=1) | removes("crash", "progress")
    assert change(given) == "SET status = RUNNING, due_at = 7 ADD fence 1 REMOVE crash, progress"


def test_a_change_has_only_the_clauses_that_it_needs() -> None:
    assert change(removes("lease_until")) == "REMOVE lease_until"
    assert change(adds(jobs=-1)) == "ADD jobs -1"


def test_of_two_changes_the_later_one_decides() -> None:
    assert sets(a=1, b=1) | sets(b=2) == sets(a=1, b=2)
    assert removes("a", "b") | sets(b=1) == Change({"b": 1}, {}, ("a",))
    assert sets(a=1) | adds(a=1) == adds(a=1)
    assert adds(a=1) | removes("a") == removes("a")


def test_a_path_leads_into_a_map_whatever_its_names_are() -> None:
    arguments = Rendered().change(removes(("slots", "a.b"), ("slots", "c"))).arguments
    assert arguments["UpdateExpression"] == "REMOVE #c0.#c1, #c0.#c2"
    assert arguments["ExpressionAttributeNames"] == {"#c0": "slots", "#c1": "a.b", "#c2": "c"}
    assert "ExpressionAttributeValues" not in arguments


def test_a_change_and_its_condition_share_no_placeholder_by_mistake() -> None:
    condition = Attr("status").eq("QUEUED") & Attr("attempt").lt(3)
    rendered = Rendered().condition("ConditionExpression", condition)
    arguments = rendered.change(sets(status="RUNNING", attempt=9)).arguments
    names, values = arguments["ExpressionAttributeNames"], arguments["ExpressionAttributeValues"]
    assert (
        spoken(arguments["ConditionExpression"], names, values)
        == "(status = QUEUED AND attempt < 3)"
    )
    assert (
        spoken(arguments["UpdateExpression"], names, values) == "SET status = RUNNING, attempt = 9"
    )


def test_what_an_item_is_to_have_may_be_nothing() -> None:
    rendered = Rendered().condition("ConditionExpression", has({"fence": 2, "crash": None}))
    arguments = rendered.arguments
    told = spoken(
        arguments["ConditionExpression"],
        arguments["ExpressionAttributeNames"],
        arguments["ExpressionAttributeValues"],
    )
    assert told == "(fence = 2 AND attribute_not_exists(crash))"


def test_no_condition_is_no_argument() -> None:
    assert Rendered().condition("FilterExpression", None).arguments == {}
