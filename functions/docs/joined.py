"""ES modules as one: each that a browser asks for is a call of a function, and forty calls at once
are forty functions that start.

Every module becomes a function of its own names, called once, after those that it imports. Of all
that JavaScript knows to import and export, this knows the forms that the page's modules have.
"""

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter

_IMPORT = re.compile(
    r"(?:^|(?<=;))import ?(?:\* as (?P<all>\w+)|\{(?P<names>[^}]*)\})"
    r' ?from ?"\.{1,2}/(?P<file>[\w.-]+)";',
    re.M,
)
_DECLARED = re.compile(r"^export (?=(?:async )?(?:function|class|const) (?P<name>\w+))", re.M)
_EXPORTED = re.compile(r"\bexport ?\{(?P<names>[^}]*)\};")
_LEFT = re.compile(r"^(?:import|export)\b.*", re.M)
_AS = re.compile(r"([\w$]+) as ([\w$]+)")


def joined(modules: Mapping[str, str]) -> str:
    """The modules, by their names, as the text of one that has them all and exports nothing.

    Raises ValueError of a form that is not known, CycleError where two import each other.
    """
    names = sorted(modules)  # the same text on every machine
    needed = {name: {each["file"] for each in _IMPORT.finditer(modules[name])} for name in names}
    order = TopologicalSorter({name: sorted(needed[name]) for name in names}).static_order()
    return "\n".join(_called(name, modules[name]) for name in order)


def _called(name: str, text: str) -> str:
    exported = [found["name"] for found in _DECLARED.finditer(text)]
    text = _DECLARED.sub("", _IMPORT.sub(_taken, text))
    for found in _EXPORTED.finditer(text):
        exported += [_AS.sub(r"\2: \1", each.strip()) for each in found["names"].split(",")]
    text = _EXPORTED.sub("", text)
    if left := _LEFT.search(text):
        raise ValueError(f"{name}: {left[0]}")
    return (
        f"// --- {name}\nconst {_variable(name)} = await (async () => {{\n{text}\n"
        f"return {{ {', '.join(exported)} }};\n}})();\n"
    )


def _taken(found: re.Match[str]) -> str:
    names = found["all"] or f"{{{_AS.sub(r'\1: \2', found['names'])}}}"
    return f"const {names} = {_variable(found['file'])};"


def _variable(name: str) -> str:
    """No module has names with a dollar first."""
    return "$" + re.sub(r"\W", "_", name)
