"""multipart/form-data: what clients really send is read byte for byte, all else is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.api import BOUNDARY, FORM_TYPE, Client, form
from kmeans_service.errors import MalformedRequest, ServiceError, TooLarge, UnsupportedMediaType
from kmeans_service.http.multipart_form import MAX_PARTS, Part, csv_part, parse_form

TYPE = FORM_TYPE["Content-Type"]
FILE = b'Content-Disposition: form-data; name="file"; filename="a.csv"'


def body(*headers: bytes, content: bytes = b"1,2") -> bytes:
    head = b"".join(header + b"\r\n" for header in headers)
    return b"--the-boundary\r\n" + head + b"\r\n" + content + b"\r\n--the-boundary--\r\n"


def parsed(*headers: bytes, content: bytes = b"1,2") -> Part:
    [part] = parse_form(TYPE, body(*headers, content=content)).values()
    return part


# A sender chooses a boundary that stands nowhere in what it sends; Hypothesis knows ours.
sendable = st.binary(max_size=200).filter(lambda content: b"\r\n--the-boundary" not in content)


@given(st.lists(sendable, min_size=1, max_size=MAX_PARTS))
def test_content_comes_out_as_it_went_in(contents: list[bytes]) -> None:
    parts = [(f"part{index}", "name", content) for index, content in enumerate(contents)]
    found = parse_form(TYPE, form(*parts))
    assert [(part.name, part.filename, part.body) for part in found.values()] == parts


@pytest.mark.parametrize(
    "content",
    [b"", b"\r\n", b"\r\n--", b"--the-boundary", b"\n--the-boundary--", b"\r\n--the-boundar"],
)
def test_content_that_only_looks_like_a_boundary_is_kept(content: bytes) -> None:
    assert parsed(FILE, content=content).body == content


@pytest.mark.parametrize(
    "content", [b"\r\n--the-boundary--", b"\r\n--the-boundary--\r\n1", b"1\r\n--the-boundaryx"]
)
def test_content_that_holds_the_boundary_is_refused_and_never_cut(content: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse_form(TYPE, body(FILE, content=content))


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        (b'form-data; name="file"; filename="a.csv"', "a.csv"),
        (b'form-data; filename="a.csv"; name="file"', "a.csv"),
        (b"form-data; name=file; filename=a.csv", "a.csv"),
        (b'form-data;name="file";filename="a.csv"', "a.csv"),
        (b'Form-Data; Name="file"; FileName="a.csv"', "a.csv"),
        (b'form-data; name="file"; filename="say %22x%22.csv"', 'say "x".csv'),
        (b'form-data; name="file"; filename="say \\"x\\".csv"', 'say "x".csv'),
        (b'form-data; name="file"; filename="a; b.csv"', "a; b.csv"),
        (b'form-data; name="file"; filename="../../a.csv"', "../../a.csv"),
        (b'form-data; name="file"; filename="%0D%0A.csv"', "\r\n.csv"),
        ('form-data; name="file"; filename="größe 📏.csv"'.encode(), "größe 📏.csv"),
        ('form-data; name="file"; filename="\u202e\u05d0.csv"'.encode(), "\u202e\u05d0.csv"),
        # RFC 8187, alone and beside a plain name
        (b"form-data; name=\"file\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv", "größe.csv"),
        (b"form-data; name=\"file\"; filename*=utf-8'de'a%20b.csv", "a b.csv"),
        (b"form-data; name=\"file\"; filename*=iso-8859-1''gr%F6%DFe.csv", "größe.csv"),
        (b'form-data; name="file"; FileName*="utf-8\'\'%e2%82%ac.csv"', "€.csv"),
        (
            b'form-data; name="file"; filename="EUR.csv"; filename*=UTF-8\'\'%e2%82%ac.csv',
            "€.csv",
        ),
        (b'form-data; name="file"; filename*=UTF-8\'\'%ff.csv; filename="a.csv"', "a.csv"),
        (b'form-data; name="file"; filename="a*b=c.csv"', "a*b=c.csv"),
        # RFC 2231, in parts
        (
            b"form-data; name=\"file\"; filename*0*=UTF-8''gr%C3%B6; filename*1*=%C3%9Fe; "
            b'filename*2=" \\"1\\".csv"',
            'größe "1".csv',
        ),
        (b'form-data; name="file"; filename*1="b.csv"; filename*0="a 100%25 "', "a 100%25 b.csv"),
        (b"form-data; name=\"file\"; filename*0*=UTF-8''gr%C3; filename*1*=%B6.csv", "grö.csv"),
        (b'form-data; name="file"; filename="a.csv"; filename*1*=%C3%9F.csv', "a.csv"),
        # RFC 2047
        (b'form-data; name="file"; filename="=?UTF-8?B?Z3LDtsOfZS5jc3Y=?="', "größe.csv"),
        (b'form-data; name="file"; filename="=?utf-8?q?gr=C3=B6=C3=9Fe_1.csv?="', "größe 1.csv"),
        (b'form-data; name="file"; filename="=?iso-8859-1?Q?gr=F6=DFe?=.csv"', "größe.csv"),
        (
            b'form-data; name="file"; filename="=?UTF-8?B?Z3LDtg==?= =?UTF-8?B?w59lLmNzdg==?="',
            "größe.csv",
        ),
        (b'form-data; name="file"; filename="=?klingon?B?YQ==?=.csv"', "=?klingon?B?YQ==?=.csv"),
        (b'form-data; name="file"; filename="=?UTF-8?B?/w==?=.csv"', "=?UTF-8?B?/w==?=.csv"),
    ],
)
def test_file_names_are_read_however_they_are_written(disposition: bytes, filename: str) -> None:
    part = parsed(b"Content-Disposition: " + disposition)
    assert (part.name, part.filename) == ("file", filename)


@pytest.mark.parametrize("value", ["größe.csv", "UTF-8''%ff", "UTF-16''a", "UTF-8''%zz", "", "'"])
def test_an_extended_name_that_cannot_be_read_says_how_one_is_written(value: str) -> None:
    disposition = f'Content-Disposition: form-data; name="file"; filename*="{value}"'
    with pytest.raises(MalformedRequest, match="RFC 8187"):
        parsed(disposition.encode())


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=the-boundary",
        'multipart/form-data; boundary="the-boundary"',
        "multipart/form-data; BOUNDARY=the-boundary",
        "Multipart/Form-Data; charset=utf-8; Boundary=the-boundary",
        "multipart/form-data;boundary=the-boundary",
    ],
)
def test_the_boundary_is_found_however_it_is_written(content_type: str) -> None:
    assert parse_form(content_type, body(FILE))["file"].body == b"1,2"


def test_names_of_part_headers_may_be_in_any_case() -> None:
    part = parsed(
        FILE.replace(b"Content-Disposition", b"CONTENT-disposition"), b"content-TYPE: a/b"
    )
    assert (part.filename, part.content_type) == ("a.csv", "a/b")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/csv",
        "TEXT/CSV; charset=UTF-8",
        "text/plain; charset=us-ascii",
        "application/vnd.ms-excel",
    ],
)
def test_a_csv_may_be_called_what_clients_call_it(content_type: str) -> None:
    parts = parse_form(TYPE, body(FILE, b"Content-Type: " + content_type.encode()))
    assert csv_part(parts, "file").filename == "a.csv"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", r"is a PNG image, and no table: send numbers, as CSV$"),
        (b"1,2", r"is 'image/png'; allowed is text/csv or "),
    ],
)
def test_another_type_is_refused_by_what_the_file_is_or_else_with_the_types_there_are(
    content: bytes, said: str
) -> None:
    parts = parse_form(TYPE, body(FILE, b"Content-Type: image/png", content=content))
    with pytest.raises(UnsupportedMediaType, match=said):
        csv_part(parts, "file")


def test_more_parts_than_allowed_are_too_large() -> None:
    parts = [(str(number), None, b"") for number in range(MAX_PARTS)]
    assert len(parse_form(TYPE, form(*parts))) == MAX_PARTS
    with pytest.raises(TooLarge, match=f"at most {MAX_PARTS} parts"):
        parse_form(TYPE, form(*parts, ("more", None, b"")))


GOOD = form(("job_id", None, b"0"), ("file", "a.csv", b"1, 2\r\n3, 4\n"))
# What a parser of this format looks at, to be put where it is least expected.
SCRAPS = [
    *(b"--the-boundary", b"--the-boundary--", b"\r\n", b"\n", b"\r", b"--", b'"', b";", b":", b"="),
    *(b"\0", b"\xff", b"%22", b"\\", b" ", b"filename*=", b"name=", b"Content-Type: ", b"\r\n\r\n"),
    *(
        b"charset=",
        b"Content-Length: 5\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        "é".encode(),
    ),
]


@st.composite
def mutated(draw: Any) -> bytes:
    """A good body with pieces left out, repeated and put in."""
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        scrap = draw(st.sampled_from([b"", text[start:end] * 2, *SCRAPS]) | st.binary(max_size=5))
        text = text[:start] + scrap + text[end:]
    return text


@pytest.mark.thorough
@given(mutated(), st.sampled_from([TYPE, TYPE + "-", TYPE + "; charset=x", TYPE.upper()]))
@settings(max_examples=1500)
def test_mutated_bodies_are_read_or_refused(text: bytes, content_type: str) -> None:
    try:
        parts = parse_form(content_type, text)
    except ServiceError:
        return
    for part in parts.values():
        assert part.body in text
        assert f"\r\n--{BOUNDARY}--".encode() not in part.body


@pytest.mark.thorough
@given(mutated(), st.sampled_from(["/kmeans/upload", "/kmeans/predict", "/kmeans/fit_predict"]))
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_mutated_requests_never_hurt_a_handler(
    shared_client: Client, text: bytes, path: str
) -> None:
    assert shared_client.call("POST", path, text, FORM_TYPE).status < 500
