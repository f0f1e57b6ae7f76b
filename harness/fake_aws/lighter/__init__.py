"""moto without what it does anew for each call and need not; what it answers is the same.

Its CPU time for a GetItem of 14 attributes was 1.3 ms and is 0.3; for 40,000 calls, as tests about
faults and limits make them, it was 118 s before conditions, items and the like had modules here,
and is 47.
"""

import os
from copy import copy
from functools import cache, lru_cache
from string import ascii_letters, digits
from types import SimpleNamespace
from typing import Any

from botocore.utils import parse_to_aware_datetime
from moto import backends
from moto.core import responses, serialize, utils
from moto.core.parse import BaseJSONParser
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models
from moto.dynamodb import responses as dynamodb
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import utilities
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import UpdateExpressionValidator
from moto.iam import models as iam
from moto.moto_api._internal import moto_random
from moto.moto_server import werkzeug_app
from moto.s3 import models as s3
from werkzeug.sansio import request
from werkzeug.sansio.utils import get_current_url

from harness.fake_aws.environment import ACCOUNT
from harness.fake_aws.lighter import conditions, items, objects, transactions, updates
from harness.fake_aws.lighter.straight import Straight

os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT  # nobody has keys of another, for which moto looks twice
_AS_TEXT = frozenset({"S", "N"})
_parse_structure: Any = BaseJSONParser._parse_structure
_serialize_structure = BaseJSONSerializer._serialize_type_structure


def _serialize_what_is_there(self: Any, out: Any, value: Any, shape: Any, key: str) -> None:
    """An attribute is of one of ten types: moto looks for each of them, by up to twelve names."""
    if shape.name != "AttributeValue" or not isinstance(value, dict):
        _serialize_structure(self, out, value, shape, key)
        return
    out[key] = {}
    for kind, held in value.items():
        if kind in _AS_TEXT and type(held) is str:
            out[key][kind] = held
        else:
            self._serialize(out[key], held, shape.members[kind], kind)


def _parse_what_is_there(self: Any, shape: Any, value: Any) -> Any:
    """As for answers."""
    if shape.name == "AttributeValue" and type(value) is dict and self.MAP_TYPE is dict:
        (kind, held), *more = value.items() or ((None, None),)
        if kind in _AS_TEXT and type(held) is str and not more:
            return {kind: held}
    return _parse_structure(self, shape, value)


_parse_time = lru_cache(maxsize=1000)(parse_to_aware_datetime)


def _time(given: Any) -> Any:
    """The times of objects are made texts, and times again, for each list of them."""
    return _parse_time(given) if type(given) is str else parse_to_aware_datetime(given)


def application(service: Any) -> Any:
    """moto's own, but nobody debugs it, and no web page calls it."""
    app = werkzeug_app.create_backend_app(service)
    app.debug = False
    return Straight(app) if service == "dynamodb" else app


def random_string(
    self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """All of its characters are drawn at once."""
    drawn = "".join(self.choices(ascii_letters + digits * include_digits, k=length))
    return drawn.lower() if lower_case else drawn


_modules = frozenset(backends.list_of_moto_modules())  # as they stand in the file system
_LIGHTER: tuple[tuple[Any, str, Any], ...] = (
    (backends, "list_of_moto_modules", lambda: _modules),
    (responses, "method_names_from_class", cache(utils.method_names_from_class)),
    (BaseJSONSerializer, "_serialize_type_structure", _serialize_what_is_there),
    # Who goes on from a tree takes a copy of it.
    (UpdateExpressionParser, "make", lru_cache(maxsize=1000)(UpdateExpressionParser.make)),
    (Node, "__deepcopy__", updates.copied),
    (Node, "find_clauses", updates.find_clauses),
    (DepthFirstTraverser, "traverse_node_recursively", updates.traverse_node_recursively),
    (UpdateExpressionValidator, "__init__", updates.begin),
    (UpdateExpressionValidator, "get_ast_processors", updates.processors),
    (UpdateExpressionValidator, "validate", updates.validate),
    (ConditionExpressionParser, "parse", conditions.parse),
    (ConditionExpressionParser, "_make_operand", conditions.make_operand),
    (DynamoType, "__deepcopy__", items.copied_value),
    (DynamoType, "cast_value", property(items.cast_value)),
    (Item, "__deepcopy__", items.copied_item),
    (Item, "__init__", items.begin_item),
    (DynamoType, "size", items.value_size),
    (Item, "size", items.item_size),
    (utilities, "dynamo_to_dict", items.to_dict),
    (dynamodb, "dynamo_to_dict", items.to_dict),
    (models, "copy", SimpleNamespace(deepcopy=transactions.kept)),
    (models.DynamoDBBackend, "transact_write_items", transactions.transact_write_items),
    (s3, "copy", SimpleNamespace(copy=copy, deepcopy=objects.as_listed)),
    (moto_random.MotoRandom, "get_random_string", random_string),
    (responses, "camelcase_to_underscores", cache(utils.camelcase_to_underscores)),
    (request, "get_current_url", lru_cache(maxsize=1000)(get_current_url)),
    (iam, "mark_account_as_visited", lambda **_: None),
    (serialize, "parse_to_aware_datetime", _time),
    (BaseJSONParser, "_parse_structure", _parse_what_is_there),
    (werkzeug_app, "DISABLE_GLOBAL_CORS", True),
)
for _place, _name, _instead in _LIGHTER:
    setattr(_place, _name, _instead)
