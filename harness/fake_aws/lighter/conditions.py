"""A condition is parsed once for all names and values: its form depends on its text alone."""

from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser

_parse_of_moto = ConditionExpressionParser.parse


class _Itself(dict[str, Any]):
    """What a placeholder stands for, as long as nobody knows."""

    def __missing__(self, placeholder: str) -> str:
        return placeholder


class _Form(ConditionExpressionParser):
    """Parses as far as the tree, and makes no operators of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text, _Itself(), _Itself())

    def _make_op_condition(self, node: Any) -> Any:
        return node


@lru_cache(maxsize=1000)
def _form(text: str) -> tuple[Any, list[str], list[str]]:
    parser = _Form(text)
    return _parse_of_moto(parser), parser.expr_attr_names_found, parser.expr_attr_values_found


def parse(self: ConditionExpressionParser) -> Any:
    if not self.condition_expression:
        return _parse_of_moto(self)
    try:
        tree, names, values = _form(self.condition_expression)
        made = self._make_op_condition(tree)
    except Exception:  # noqa: BLE001 (moto's own says what is wrong, in its own order)
        return _parse_of_moto(self)
    self.expr_attr_names_found.extend(names)
    self.expr_attr_values_found.extend(values)
    return made


_make_operand = ConditionExpressionParser._make_operand


def make_operand(self: ConditionExpressionParser, node: Any) -> Any:
    """With what the placeholders of this call stand for."""
    if node.kind == self.Kind.PATH:
        elements = [_known(self.expression_attribute_names, "#", part) for part in node.children]
        node = node._replace(children=elements)
    elif node.kind == self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
        node = _known(self.expression_attribute_values, ":", node)
    return _make_operand(self, node)


def _known(meanings: Any, mark: str, node: Any) -> Any:
    return node._replace(value=meanings[node.text]) if node.text.startswith(mark) else node
