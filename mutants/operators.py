"""Kinds of mistakes that Cosmic Ray's own operators do not make, and which of its own are left.

The conditions of conditional writes are texts, which no tool for Python looks into.
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
    r"|ReplaceComparisonOperator_\w+_(Is|IsNot)$|ReplaceUnaryOperator_\w+_(Invert|Nothing)"
)
_EXPRESSION = re.compile(
    r"#\w+ = :|\w = :|attribute_(not_)?exists|\bADD \w+ :|REMOVE [\w#]+|\w <=? :|begins_with"
)
_CHANGES = {
    r" < (?=:)": " <= ",
    r" <= (?=:)": " < ",
    r" > (?=:)": " >= ",
    r" >= (?=:)": " > ",
    r" <> ": " = ",
    r" AND ": " OR ",
    r" OR ": " AND ",
    r"\bNOT ": "",
    r"attribute_not_exists": "attribute_exists",
    r"attribute_exists": "attribute_not_exists",
    r"\b(?<=REMOVE )[\w#]+, ": "",
    r", (?!gsi1pk)[\w#]+(?=[, ]|$)(?! =)": "",
    r"(?<![#\w])[a-z]\w+(?= = :)": r"other_\g<0>",
    r"(?<=ADD )\w+": r"other_\g<0>",
    # Its value stays in use, or DynamoDB would refuse the expression.
    r"(?:#?\w+(?:\.\w+)?) (?:<=?|>=?|<>) :\w+": r"(\g<0> OR attribute_exists(pk))",
}
_OTHER = {"min": "max", "max": "min"}


class Expression(Operator):
    """Another condition, or another attribute, in an expression of DynamoDB's."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        for _ in _variants(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = list(_variants(node))[index]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _variants(node: Any) -> Iterator[str]:
    if node.type != "string" or not _EXPRESSION.search(node.value) or '"""' in node.value:
        return
    for pattern, change in _CHANGES.items():
        for found in re.finditer(pattern, node.value):
            changed = node.value[: found.start()] + found.expand(change) + node.value[found.end() :]
            if changed != node.value:
                yield changed


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


def registered() -> list[str]:
    """The names of all operators that are used."""
    OPERATOR_PROVIDERS[PROVIDER] = Provider(
        {kind.__name__: kind for kind in (Expression, Statement, Extreme)}
    )
    return [name for name in operator_names() if not LEFT_OUT.search(name)]
