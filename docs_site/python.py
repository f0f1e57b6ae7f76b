"""docs/reference/python.md, made of the signatures and docstrings of the package."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from kmeans_client import Client, KMeansError, RemoteKMeans

HEAD = """# The Python package

<!-- Made of the docstrings of kmeans_client by `make reference`: not to be changed by hand. -->

`pip install ./client` installs it, for Python 3.10 and newer; `'./client[sklearn]'` with
`RemoteKMeans`. Its README has examples.

"""
WIDTH = 90


def page() -> str:
    sections = [_class(Client), *_methods(Client), _class(RemoteKMeans), "\n".join(_exceptions())]
    return HEAD + "".join(f"{section.rstrip()}\n\n" for section in sections).rstrip() + "\n"


def _class(kind: type) -> str:
    return f"## {kind.__name__}\n\n{_text(kind)}{_signature(kind.__name__, kind)}"


def _methods(kind: type) -> Iterator[str]:
    for name, method in sorted(inspect.getmembers(kind, inspect.isfunction)):
        if not name.startswith("_"):
            yield f"### {name}\n\n{_signature(name, method)}{_text(method)}"


def _signature(name: str, called: Callable[..., Any]) -> str:
    """As Python writes it; a long one has a line for each parameter."""
    signature = inspect.signature(called)
    given = [one for one in signature.parameters.values() if one.name != "self"]
    shown = [_without_modules(str(one.replace(annotation=_plain(one.annotation)))) for one in given]
    if any(one.kind is one.KEYWORD_ONLY for one in given):
        first = next(place for place, one in enumerate(given) if one.kind is one.KEYWORD_ONLY)
        shown.insert(first, "*")
    answer = signature.return_annotation
    arrow = f" -> {_without_modules(inspect.formatannotation(_plain(answer)))}"
    line = f"{name}({', '.join(shown)}){'' if inspect.isclass(called) else arrow}"
    if len(line) > WIDTH:
        line = f"{name}(\n" + "".join(f"    {one},\n" for one in shown) + ")" + arrow
    return f"```text\n{line}\n```\n\n"


class _Written:
    """An annotation that is a text already."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _plain(annotation: Any) -> Any:
    return _Written(annotation) if isinstance(annotation, str) else annotation


def _without_modules(text: str) -> str:
    text = re.sub(r"<function (\w+) at \w+>", r"\1", text)
    return re.sub(r"\b(?:kmeans_client|typing|collections\.abc|answers|results)\.", "", text)


def _text(documented: Any) -> str:
    """The first paragraphs as they are; a table of arguments as it is aligned."""
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    return "".join(f"{_shown(paragraph)}\n\n" for paragraph in paragraphs if paragraph)


def _shown(paragraph: str) -> str:
    aligned = all("  " in line.strip() for line in paragraph.splitlines())
    return f"```text\n{paragraph}\n```" if aligned else paragraph


def _exceptions() -> Iterator[str]:
    yield "## Exceptions\n\nEach is also what it stands indented under.\n"
    yield from _tree(KMeansError, 0)
    yield ""


def _tree(kind: type[Exception], depth: int) -> Iterator[str]:
    said = (inspect.getdoc(kind) or "").split("\n")[0]
    yield f"{'    ' * depth}- `{kind.__name__}`: {said}"
    for below in kind.__subclasses__():
        if below.__module__.startswith("kmeans_client."):
            yield from _tree(below, depth + 1)
