"""Which calls of AWS the code of a function can make: read from the code, not run.

A call is written `aws.s3().get_object(…)`, or on a name that was given `aws.s3()`. From a handler's
module on, whatever a reachable function names is reachable too: functions, classes' methods by way
of `self` or of a function that is annotated to return the class.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from harness import PROJECT

FUNCTIONS = PROJECT / "functions"
CLIENTS = {"s3", "dynamodb", "sqs", "functions"}
# Of a client itself, no call.
NOT_CALLED = {"close", "exceptions", "meta"}
# What a convenience of boto3's calls.
MEANS = {
    "generate_presigned_post": {"put_object"},
    "upload_fileobj": {"put_object", "abort_multipart_upload"},
}
AT_IMPORT = "<module>"  # what a module does when it is imported
type Call = tuple[str, str]  # of ("s3", "get_object")
type Node = tuple[str, str]  # module and name within it


@dataclass
class Module:
    """A module's functions, and what the names in it mean."""

    functions: dict[str, ast.AST] = field(default_factory=dict)
    imported: dict[str, Node] = field(default_factory=dict)  # a module is ("…", "")
    returned: dict[str, str] = field(default_factory=dict)  # function → class, by its name here


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in FUNCTIONS.rglob("*.py"):
        parts = path.relative_to(FUNCTIONS).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = _module(ast.parse(path.read_text()))
    return found


def _module(tree: ast.Module) -> Module:
    module = Module(imported=dict(_imported(tree)))
    module.functions[AT_IMPORT] = ast.Module(
        [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)], []
    )
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name, returns=returns):
                module.functions[name] = node
                if isinstance(returns, ast.Name):
                    module.returned[name] = returns.id
            case ast.ClassDef(name=name, body=body):
                for inner in body:
                    if isinstance(inner, ast.FunctionDef):
                        module.functions[f"{name}.{inner.name}"] = inner
    return module


def _imported(tree: ast.Module) -> Iterator[tuple[str, Node]]:
    """Names and what they were imported from."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(source), names=names):
                yield from ((each.asname or each.name, (source, each.name)) for each in names)
            case ast.Import(names=names):
                yield from ((each.asname or each.name, (each.name, "")) for each in names)


def reachable_calls(handler: str) -> set[Call]:
    """Of the handler's module, `fit.app`, and of everything that its functions may lead to."""
    waiting = [(handler, name) for name in modules()[handler].functions]
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(_named(*node))
    return {call for node in seen for call in _calls(*node)}


def all_calls() -> set[Call]:
    return {
        call
        for name, module in modules().items()
        for function in module.functions
        for call in _calls(name, function)
    }


def _named(name: str, function: str) -> Iterator[Node]:
    """Functions that a function names, be it to call them or to hand them on."""
    tree = modules()[name].functions[function]
    own_class = function.partition(".")[0]
    made = {word: value.func for word, value in _assigned(tree) if isinstance(value, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attr):
                yield from _existing(name, f"{own_class}.{attr}")
            case ast.Attribute(value=ast.Call(func=called), attr=attr):
                yield from _methods(name, called, attr)
            case ast.Attribute(value=ast.Name(id=word), attr=attr) if word in made:
                yield from _methods(name, made[word], attr)
            case ast.Attribute() | ast.Name():
                yield from _existing(*_meant(name, node))


def _assigned(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are given: `bucket = data_bucket()`, or several at once."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=word)], value=value):
                yield word, value
            case ast.Assign(targets=[ast.Tuple(elts=words)], value=ast.Tuple(elts=values)):
                for target, value in zip(words, values, strict=True):
                    if isinstance(target, ast.Name):
                        yield target.id, value


def _meant(name: str, node: ast.expr) -> Node:
    """What a name or module.name stands for."""
    match node:
        case ast.Name(id=word) if word in modules()[name].imported:
            return modules()[name].imported[word]
        case ast.Name(id=word):
            return name, word
        case ast.Attribute(value=ast.Name(id=word), attr=attr):
            package, inner = modules()[name].imported.get(word, ("", ""))
            return f"{package}.{inner}".rstrip("."), attr
    return "", ""


def _existing(name: str, function: str) -> Iterator[Node]:
    """A function, what it was imported from, or a class's methods that are called by themselves."""
    module = modules().get(name, Module())
    if function in module.functions:
        yield name, function
    elif function in module.imported:  # handed on, as http.logger is
        yield from _existing(*module.imported[function])
    elif f"{function}.__init__" in module.functions:
        yield name, f"{function}.__init__"


def _methods(module: str, called: ast.expr, method: str) -> Iterator[Node]:
    """`data_bucket().put`: the class is known by what data_bucket is annotated to return."""
    source, function = _meant(module, called)
    returned = modules().get(source, Module()).returned.get(function)
    if returned:
        # Or of a class that is imported there, as what is returned may be a protocol of several.
        imported = modules()[source].imported.values()
        for owner, name in [(source, returned), *imported]:
            yield from _existing(owner, f"{name}.{method}")


def _calls(name: str, function: str) -> Iterator[Call]:
    tree = modules()[name].functions[function]
    clients = {word: client for word, value in _assigned(tree) if (client := _client(value))}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=attr) if attr not in NOT_CALLED:
                client = _client(value)
                if client is None and isinstance(value, ast.Name):
                    client = clients.get(value.id)
                if client:
                    yield from ((client, call) for call in _operations(attr, tree, node))


def _client(node: ast.expr) -> str | None:
    """The service of `aws.s3()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="aws"), attr=service)):
            return service if service in CLIENTS else None
    return None


def _operations(attr: str, tree: ast.AST, wanted: ast.Attribute) -> set[str]:
    """An operation, or those that stand as text in `get_paginator("list_object_versions")`."""
    if attr not in ("get_paginator", "generate_presigned_url"):
        return MEANS.get(attr, {attr})
    [named] = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.func is wanted
    ]
    choices = [named.body, named.orelse] if isinstance(named, ast.IfExp) else [named]
    return {ast.literal_eval(choice) for choice in choices}
