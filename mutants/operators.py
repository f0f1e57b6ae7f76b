"""Kinds of mistakes that Cosmic Ray's own operators do not make, and which of its own are left.

Conditions and changes of the table's items are calls, of which a tool for Python sees only calls.
"""

import re
from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import OPERATOR_PROVIDERS, operator_names

PROVIDER = "mutants"
# A variant of one that is left (an arithmetic operator put for a comparison, say), or a mistake
# that ends the program at its import.
LEFT_OUT = re.compile(
    r"ReplaceBinaryOperator_(BitOr|\w+_(BitOr|BitAnd|BitXor|LShift|RShift|Pow|Mod))"
    r"|ReplaceComparisonOperator_\w+_(Is|IsNot)$|ReplaceUnaryOperator_(?!Delete)\w+_(Invert|Nothing)"
)
_CONDITIONS = re.compile(r"\bAttr\(|\bhas\(|\bCondition\b")
_COMPARISONS = {
    "eq": "ne",
    "ne": "eq",
    "lt": "lte",
    "lte": "lt",
    "gt": "gte",
    "gte": "gt",
    "exists": "not_exists",
    "not_exists": "exists",
}
_CONNECTIVES = {"&": "|", "|": "&"}
# Whose keywords are attributes, and whose texts are.
_BY_KEYWORD, _BY_TEXT = {"sets", "adds"}, {"Attr", "has", "Lease", "removes"}
# What lies between an argument and its call.
_INSIDE = {"argument", "arglist", "trailer", "dictorsetmaker", "atom"}
_OTHER = {"min": "max", "max": "min"}


class Expression(Operator):
    """Another condition, or another attribute, of a write or a query of the table."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if _variant(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        node.value = _variant(node)
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _variant(node: Any) -> str | None:
    match node.type:
        case "operator":
            return _other_connective(node)
        case "name":
            return _other_comparison(node) or _other_keyword(node)
        case "string":
            return _other_text(node)
    return None


def _other_connective(node: Any) -> str | None:
    """Only where conditions are made: elsewhere they are unions of types, sets and maps."""
    function = node.parent
    while function and function.type != "funcdef":
        function = function.parent
    speaks = function is not None and _CONDITIONS.search(function.get_code())
    return _CONNECTIVES.get(node.value) if speaks and node.parent.type != "tfpdef" else None


def _other_comparison(node: Any) -> str | None:
    leaf = node.get_next_leaf()
    is_call = node.parent.type == "trailer" and leaf is not None and leaf.value == "("
    return _COMPARISONS.get(node.value) if is_call else None


def _other_keyword(node: Any) -> str | None:
    is_keyword = node.parent.type == "argument" and node is node.parent.children[0]
    return f"other_{node.value}" if is_keyword and _called(node) in _BY_KEYWORD else None


def _other_text(node: Any) -> str | None:
    if node.get_next_leaf().value == ":" or node.parent.type != "dictorsetmaker":
        return f'"other_{node.value[1:]}' if _called(node) in _BY_TEXT else None
    return None


def _called(node: Any) -> str | None:
    """The name that the call goes by which this is an argument of."""
    while node.parent is not None and node.parent.type in _INSIDE:
        node = node.parent
        if node.type == "trailer":
            return str(node.get_previous_leaf().value)
    return None


class Statement(Operator):
    """A call for its effect alone, left out."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if self._is_call(node):
            yield node.start_pos, node.end_pos

    @staticmethod
    def _is_call(node: Any) -> bool:
        if node.type not in ("atom_expr", "power") or node.parent.type != "simple_stmt":
            return False
        return bool(node.children[-1].type == "trailer" and node.children[-1].children[0] == "(")

    def mutate(self, node: Any, _index: int) -> Any:
        return _parsed("pass", node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class Extreme(Operator):
    """`min` for `max`, and the other way round."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if node.type == "name" and node.value in _OTHER and node.parent.type == "atom_expr":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        node.value = _OTHER[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _parsed(text: str, prefix: str) -> Any:
    node: Any = parso.parse(text).children[0]
    node.get_first_leaf().prefix = prefix
    return node


class Provider(dict[str, type[Operator]]):
    """Ours, as Cosmic Ray looks for them."""


# A session that goes on names operators before any are listed.
OPERATOR_PROVIDERS[PROVIDER] = Provider(
    {kind.__name__: kind for kind in (Expression, Statement, Extreme)}
)


def used() -> list[str]:
    """The names of all operators that are used."""
    return [name for name in operator_names() if not LEFT_OUT.search(name)]
