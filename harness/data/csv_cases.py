"""CSV files, good and bad, that every reader of the grammar is held to, and ways to make more."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from kmeans_service.errors import ServiceError

# (bytes, names, rows)
VALID: list[tuple[bytes, tuple[str, ...] | None, list[list[float]]]] = [
    (b"1,2\n3,4\n", None, [[1, 2], [3, 4]]),
    (b"1,2\n3,4", None, [[1, 2], [3, 4]]),
    (b"7", None, [[7]]),
    (b"1,2\r\n3,4\r\n", None, [[1, 2], [3, 4]]),
    (b"1,2\n3,4\r\n5,6", None, [[1, 2], [3, 4], [5, 6]]),
    (b"1,2\n\n \t\n\r\n", None, [[1, 2]]),
    (b"1,2\n  ", None, [[1, 2]]),
    (b" 1 ,\t2\t\n3, 4", None, [[1, 2], [3, 4]]),
    (b"\xef\xbb\xbf1,2", None, [[1, 2]]),
    (b'"1.5", "2"\n3,"-4e1" ', None, [[1.5, 2], [3, -40]]),
    (b"+1,01,1.,.5,-.5,1e5,-1.5E-3,1e+2", None, [[1, 1, 1, 0.5, -0.5, 1e5, -1.5e-3, 100]]),
    (b"1e100,-1e100,1e-400,0e999", None, [[1e100, -1e100, 0, 0]]),
    (
        b"18446744073709551616,123456789012345678901234567890",
        None,
        [[2.0**64, 1.2345678901234568e29]],
    ),
    (b"9007199254740993,18446744073709551615", None, [[9007199254740992, 2.0**64]]),
    (b"1" + b"0" * 100, None, [[1e100]]),
    (b"0." + b"0" * 1000 + b"1", None, [[0]]),
    (b"-0,0,-0.0", None, [[0, 0, 0]]),
    (b"x,y\n1,2", ("x", "y"), [[1, 2]]),
    (b"\xef\xbb\xbfx , y\r\n1,2", ("x", "y"), [[1, 2]]),
    (b'"a, b","say ""x"""," c "\n1,2,3', ("a, b", 'say "x"', " c "), [[1, 2, 3]]),
    ("größe,重さ,📏\n1,2,3".encode(), ("größe", "重さ", "📏"), [[1, 2, 3]]),
    (
        b"1st,2nd,=1+1,null,0x10\n1,2,3,4,5",
        ("1st", "2nd", "=1+1", "null", "0x10"),
        [[1, 2, 3, 4, 5]],
    ),
]

# (bytes, line, column, words of the message)
INVALID: list[tuple[bytes, int, int | None, str]] = [
    (b"", 1, None, "the file is empty"),
    (b"\xef\xbb\xbf", 1, None, "the file is empty"),
    (b"\n\r\n \t\n", 1, None, "the file is empty"),
    (b"x,y", 2, None, "a header and no rows"),
    (b"x,y\n\n\n", 2, None, "a header and no rows"),
    (b"\n1,2", 1, None, "line 1 is blank"),
    (b"1,2\n\n3,4", 2, None, "line 2 is blank"),
    (b"1,2\n \t\r\n3,4", 2, None, "line 2 is blank"),
    (b"x\n\n1", 2, None, "line 2 is blank"),
    (b"1\n2\n\n\n3", 3, None, "line 3 is blank"),
    (b"1,2\n3,4,5", 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b"1,2\n3,4,5\n6", 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b"1,2\n3,4,", 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b"1,2\n3\n4,5,6", 2, 2, "line 2 has 1 cell, the first line has 2"),
    (b"x,y\n1,2\n3", 3, 2, "line 3 has 1 cell, the first line has 2"),
    (b"1,2\n3,", 2, 2, "line 2, column 2: the cell is empty"),
    (b"1,2\n,4", 2, 1, "the cell is empty"),
    (b"1,2\n3,abc", 2, 2, "line 2, column 2: 'abc' is not a finite decimal number"),
    (b"1,2\n3," + b"a" * 50, 2, 2, "'" + "a" * 39 + "…' is not"),
    (b"1,x\n3,4", 1, 2, "'x' is not a finite"),
    (b"x,1\n3,4", 1, 1, "'x' is not a finite"),
    (b"id,2020\n3,4", 1, 1, "a header has no numbers"),
    (b'1,2\n3,4,"5,6"', 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b"1,\n3,4", 1, 2, "the cell is empty"),
    (b"1\nnan", 2, 1, "'nan'"),
    (b"1\n-inf", 2, 1, "'-inf'"),
    (b"1\n0x10", 2, 1, "'0x10'"),
    (b"1\n1_000", 2, 1, "'1_000'"),
    (b"1\n1e", 2, 1, "'1e'"),
    (b"1\n.", 2, 1, "'.'"),
    (b"1\n-", 2, 1, "'-'"),
    (b"1\n--1", 2, 1, "'--1'"),
    (b"1\n1.2.3", 2, 1, "'1.2.3'"),
    (b"1\n1e5.5", 2, 1, "'1e5.5'"),
    (b"1\n=1+1", 2, 1, "'=1+1'"),
    (b"1\ntrue", 2, 1, "'true'"),
    (b"1\nnull", 2, 1, "'null'"),
    (b"1\n[1]", 2, 1, "'[1]'"),
    (b"1,2\n[3,4]", 2, 1, "'[3'"),
    (b'1\n{"a":1}', 2, 1, "is not a finite"),
    (b"1,2\n3;4,5", 2, 1, "cells are separated by commas"),
    (b"1,2\n3 4,5", 2, 1, "cells are separated by commas"),
    (b"1\n1\x0b", 2, 1, "is not a finite"),
    (b"1\n1\xc2\xa0", 2, 1, "is not a finite"),
    (b"1\n1\x002", 2, 1, "'1\\x002'"),
    ("1\n１".encode(), 2, 1, "'１'"),
    (b"1\n\xff", 2, 1, "'\\xff' is not UTF-8"),
    (b"\xff\xfe1\x00\n\x00", 1, 1, "is not UTF-8"),
    (b"a,\xe9\n1,2", 1, 2, "is not UTF-8"),
    (b"1\n\xef\xbb\xbf2", 2, 1, "is not a finite"),
    (b'1\n"2', 2, 1, "opens a quote"),
    (b'1,2\n"3,4', 2, 1, "opens a quote"),
    (b'1\n"2"3', 2, 1, "is not a finite"),
    (b'1\n" 2"', 2, 1, "is not a finite"),
    (b'1\n""', 2, 1, "is not a finite"),
    (b'1,2\n"3,4",5', 2, 1, "'\"3,4\"'"),
    (b"1\r2\r3", 1, 1, "neither LF nor CRLF"),
    (b"1\n2\r", 2, 1, "neither LF nor CRLF"),
    (b"1\n2\r\r\n", 2, 1, "neither LF nor CRLF"),
    (b"1,2\n3,4\r5,6", 2, 2, "neither LF nor CRLF"),
    (b"1\n1e101", 2, 1, "'1e101' is beyond 1e100"),
    (b"1\n-1e101", 2, 1, "'-1e101' is beyond 1e100"),
    (b"1\n-1e400", 2, 1, "beyond 1e100"),
    (b"1\n2" + b"0" * 100, 2, 1, "beyond 1e100"),
    (b"1e400\n1", 1, 1, "beyond 1e100"),
    (b"nan,inf\n1,2", 1, 1, "neither a name nor a number"),
    (b"1_000\n1", 1, 1, "neither a name nor a number"),
    (b"a\x00b\n1", 1, 1, "neither a name nor a number"),
    (b"a,,b\n1,2,3", 1, 2, "the cell is empty"),
    (b'a,""\n1,2', 1, 2, "the cell is empty"),
    (b'a," "\n1,2', 1, 2, "the cell is empty"),
    (b"a,b,a\n1,2,3", 1, 3, "'a' is also the name of column 1"),
    (b'a,b"c\n1,2', 1, 2, "a quote that does not enclose it"),
    (b'"a\nb"\n1', 1, 1, "a quote that does not enclose it"),
    (b'"a\rb"\n1', 1, 1, "neither LF nor CRLF"),
]

# (bytes, line, column, words of the message), over a limit
TOO_LARGE: list[tuple[bytes, int, int | None, str]] = [
    (b"1\n" + b"1" * 1025, 2, 1, "longer than the 1,024 characters"),
    (b"1\n0." + b"0" * 1023, 2, 1, "longer than the 1,024 characters"),
    (b"a," + b"b" * 1025 + b"\n1,2", 1, 2, "longer than the 1,024 characters"),
    (b"1," * 20_000 + b"1", 1, None, "the 20,000 cells"),
    (b"1\n2\n" + b" " * 1024**2 + b"3\n", 3, None, "the 1,048,576 bytes"),
    (b"," * 4_500_000, 1, None, "the 1,048,576 bytes"),
]

# As INVALID and TOO_LARGE: what is refused at the upload of any table, too.
NO_TABLE: list[tuple[bytes, int, int | None, str]] = [
    (b"", 1, None, "the file is empty"),
    (b"\xef\xbb\xbf", 1, None, "the file is empty"),
    (b"\n\r\n \t\n", 1, None, "the file is empty"),
    (b"x,y", 2, None, "a header and no rows"),
    (b"x,y\n\n\n", 2, None, "a header and no rows"),
    (b"1,2\n3,4,5", 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b"1,2\n3\n4,5,6", 2, 2, "line 2 has 1 cell, the first line has 2"),
    (b"x,y\n1,2\n3", 3, 2, "line 3 has 1 cell, the first line has 2"),
    (b'1,2\n3,4,"5,6"', 2, 3, "line 2 has 3 cells, the first line has 2"),
    (b'1\n"2', 2, 1, "opens a quote"),
    (b'1,2\n"3,4', 2, 1, "opens a quote"),
    (b"1,2\n3,4\r5,6", 2, 2, "neither LF nor CRLF"),
    (b"name\nann\nbob\n", 1, None, "the file has no column of numbers"),
]
TOO_LARGE_TABLE: list[tuple[bytes, int, int | None, str]] = [
    (b"1\n0." + b"0" * 1023, 2, 1, "longer than the 1,024 characters"),
    (b"a," + b"b" * 1025 + b"\n1,2", 1, 2, "longer than the 1,024 characters"),
    (b"1," * 20_000 + b"1", 1, None, "the 20,000 cells"),
    (b"1\n2\n" + b" " * 1024**2 + b"3\n", 3, None, "the 1,048,576 bytes"),
]

# Plain cells that are also JSON, cells that are only ours, cells that are wrong.
_plain = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e100, 1e100).map(repr),
    st.floats(-1e3, 1e3).map("{:.3f}".format),
    st.floats(-1e3, 1e3).map("{:.18e}".format),
    st.integers(-(2**70), 2**70).map(str),
)
_odd = st.one_of(
    st.from_regex(
        r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,25})([eE][+-]?[0-9]{1,2})?", fullmatch=True
    ),
    _plain.map('"{}"'.format),
    st.sampled_from(["-0", "1.", ".5", "+1", "007", "1e-300", "1e100", "0e5", "1" * 60]),
)
_wrong = st.one_of(
    st.sampled_from(
        [
            "",
            "nan",
            "inf",
            "1e101",
            "1e999",
            "x",
            "[1]",
            "true",
            "1 2",
            '"1',
            '1"',
            '""',
            "1\r",
            "1" * 1100,
            "é",
            "-",
        ]
    ),
    st.text(alphabet='0123456789+-.eE, \t\r\n"[]{}xé\0', max_size=6),
)
_spaces = st.sampled_from(["", "", "", "", " ", "\t", " \t "])
_line_breaks = st.sampled_from(["\n", "\n", "\n", "\r\n"])
_names = st.one_of(
    st.text(alphabet='abcé📏 "', min_size=1, max_size=5).map(
        lambda name: '"' + name.replace('"', '""') + '"'
    ),
    st.text(alphabet="abcxyzé📏", min_size=1, max_size=4),
    st.sampled_from(["nan", "", "1", '"', "1_0"]),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files by the grammar, some with cells, rows, names or bytes that break it."""
    n_features = draw(st.integers(1, 4))
    cells = draw(st.sampled_from([_plain, _plain | _odd, _plain | _odd | _wrong]))
    widths = st.sampled_from([n_features] * 30 + [n_features + 1, n_features - 1])
    lines = []
    if draw(st.booleans()):
        lines.append(",".join(draw(st.lists(_names, min_size=n_features, max_size=n_features))))
    for _ in range(draw(st.integers(0, 12))):
        row = [
            draw(_spaces) + draw(cells) + draw(_spaces)
            for _ in range(draw(widths) if cells is not _plain else n_features)
        ]
        lines.append(",".join(row))
    text = "".join(line + draw(_line_breaks) for line in lines)
    end = draw(st.sampled_from(["", "\n", "\r\n \n\t", "\r", "\n\n1\n"]))
    body = (draw(st.sampled_from(["", "\ufeff"])) + text + end).encode()
    return _mutated(draw, body) if draw(st.integers(0, 3)) == 0 else body


def _mutated(draw: st.DrawFn, body: bytes) -> bytes:
    at = draw(st.integers(0, len(body)))
    cut = draw(st.integers(0, 2))
    alphabet = st.sampled_from(
        [b"", b",", b"\n", b"\r", b'"', b"1", b"e", b"\0", b"\xff", b"[", b"\xef\xbb\xbf"]
    )
    return body[:at] + draw(alphabet) + body[at + cut :]


class Refused(NamedTuple):
    """What a reader says of a file against the grammar."""

    kind: type[ServiceError]
    detail: str
    members: dict[str, Any]


def outcome(read: Callable[..., object], *arguments: object) -> object:
    """What `read` returns, or its refusal: to hold one reader to another."""
    try:
        return read(*arguments)
    except ServiceError as refusal:
        return Refused(type(refusal), refusal.detail, refusal.members)


def bits(X: Any) -> Any:
    """Of doubles, which tells 0.0 from -0.0."""
    return np.asarray(X, dtype=np.float64).view(np.uint64)


def csv_of(X: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.savetxt(file, X, fmt="%.17g", delimiter=",")
    return file.getvalue()
