"""Trees of update expressions: walked and copied without asking of each node what its class says.

What can be wrong with a tree whatever the item is, is looked for once.
"""

from copy import deepcopy
from functools import cache, lru_cache
from typing import Any

from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]
    DepthFirstTraverser,
    Expression,
    Node,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateExpressionValidator,
    UpdateHashRangeKeyValidator,
)

_REGARDLESS_OF_ITEM = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
_begin = UpdateExpressionValidator.__init__
_processors = UpdateExpressionValidator.get_ast_processors
_validate = UpdateExpressionValidator.validate


def begin(self: Any, expression: Any, **known: Any) -> None:
    _begin(self, expression, **known)
    self.expression = expression


def processors(self: Any) -> list[Any]:
    return [one for one in _processors(self) if not isinstance(one, _REGARDLESS_OF_ITEM)]


def validate(self: Any) -> Any:
    names = self.expression_attribute_names
    known = names if names is None else tuple(names.items())
    _is_sound(self.expression, known, tuple(self.table.table_key_attrs))
    return _validate(self)


@lru_cache(maxsize=1000)
def _is_sound(expression: Any, names: Any, keys: tuple[str, ...]) -> None:
    """Raises what moto does."""
    known: Any = names if names is None else dict(names)
    tree = deepcopy(expression)
    for check in (
        ActionCountValidator(),
        OverlappingPathsValidator(known),
        UpdateHashRangeKeyValidator(list(keys), known or {}),
    ):
        tree = check.traverse(tree)


def copied(node: Any, memo: dict[int, Any]) -> Any:
    """What is in a tree of nodes that is no node is immutable, as long as no item is known."""
    if id(node) not in memo:
        copy = memo[id(node)] = object.__new__(type(node))
        copy.__dict__.update(
            type=node.type, parent=_copied(node.parent, memo), children=node.children
        )
        if node.children is not None:
            copy.children = [_copied(child, memo) for child in node.children]
    return memo[id(node)]


def _copied(part: Any, memo: dict[int, Any]) -> Any:
    return copied(part, memo) if _is_node(type(part)) else part


def traverse_node_recursively(self: Any, node: Any, child_id: int = -1) -> Any:
    """moto's own, but for how it finds out what to do."""
    return _walked(self, node, child_id) if _is_node(type(node)) else node


def _walked(walk: Any, node: Any, child_id: int) -> Any:
    parent = node.parent
    is_told = _is_told_of_children(type(walk))
    for i, child in enumerate(node.children or ()):
        if is_told:
            walk.pre_processing_of_child(node, i)
        if _is_node(type(child)):
            _walked(walk, child, i)
    if _is_processed(walk, type(node)):
        node = walk.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def find_clauses(self: Any, clause_types: list[Any]) -> list[Any]:
    found = []
    for child in self.children or ():
        if type(child) in clause_types:
            found.append(child)
        elif _holds_clauses(type(child)):
            found += find_clauses(child, clause_types)
    return found


_is_node: Any = cache(lambda kind: issubclass(kind, Node))
_holds_clauses: Any = cache(lambda kind: issubclass(kind, (Expression, UpdateExpressionFunction)))
_is_told_of_children: Any = cache(
    lambda walk: walk.pre_processing_of_child is not DepthFirstTraverser.pre_processing_of_child
)
_processed: dict[tuple[Any, Any], bool] = {}


def _is_processed(walk: Any, kind: Any) -> bool:
    which = type(walk), kind
    if which not in _processed:
        _processed[which] = issubclass(kind, walk.nodes_to_be_processed())
    return _processed[which]
