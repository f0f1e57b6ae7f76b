"""Which items are there for their owner, and which only still lie in the table."""

from boto3.dynamodb.conditions import Attr

from kmeans_service.table import clock
from kmeans_service.table.expressions import Condition

# Their owner has deleted them.
GONE = ("DELETING", "DELETED")


def is_there() -> Condition:
    """Not "expires_at > now": a record that lacks it is to be seen."""
    return ~Attr("status").is_in(GONE) & ~Attr("expires_at").lte(clock.seconds())
