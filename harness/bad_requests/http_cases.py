"""Bad methods, paths, headers, queries and events."""

import base64

from harness.api import FORM_TYPE, JSON_TYPE, MODEL_CSV, form
from harness.bad_requests import DELETED, PENDING, UNFITTED, UNKNOWN, Case

UPLOAD = form(("file", "model.csv", MODEL_CSV))
FIT = b'{"job_id": 0}'


def method(verb: str, path: str, allow: str) -> Case:
    words = (f"{verb} is not allowed here; allowed is {allow}",)
    return Case(f"{verb} {path}", 405, words, verb, path)


METHODS = [
    *(
        method(verb, "/kmeans/upload", "POST")
        for verb in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")
    ),
    method("GET", "/kmeans/fit", "POST"),
    method("GET", "/kmeans/predict", "POST"),
    method("DELETE", "/kmeans/uploads", "POST"),
    method("POST", "/kmeans/health", "GET, HEAD"),
    method("PUT", "/kmeans/openapi.json", "GET, HEAD"),
    method("POST", "/kmeans/ui", "GET, HEAD"),
    method("POST", "/kmeans/page/1/app.js", "GET, HEAD"),
    method("POST", "/kmeans/jobs", "GET, HEAD"),
    method("POST", "/kmeans/jobs/0", "DELETE, GET, HEAD, PATCH"),
    method("PUT", "/kmeans/jobs/0/labels", "GET, HEAD"),
    method("DELETE", "/kmeans/jobs/0/centers", "GET, HEAD"),
]

PATHS = [
    *(
        Case(f"path {path:.30}", 404, ("There is nothing at",), "GET", path)
        for path in (
            "/kmeans/nothing",
            "/kmeans/fits",
            "/kmeans/jobs/0/nothing",
            "/kmeans/jobs/0/labels/1",
            "/kmeans/ui/nothing.js",
            "/kmeans/page/nothing/app.js",
            "/kmeans/ui/..%2Findex.html",
            "/kmeans/FIT",
            "/kmeans//fit",
            "/kmeans/" + "x" * 8000,
            "/kmeans/%00",
            "/kmeans/%F0%9F%98%80",
            "/kmeans/'%22%3Cscript%3E",
        )
    ),
    Case("POST to nothing", 404, ("There is nothing at '/kmeans/train'",), "POST", "/kmeans/train"),
    *(
        Case(f"job {bad}", 422, ("job_id is", "an integer from 0"), "GET", f"/kmeans/jobs/{bad}")
        for bad in ("x", "-1", "0.0", "00", "1e3", "null", "99999999999", "0%20", "%D9%A3")
    ),
    *(
        Case(f"{verb} job {job_id}{rest}", status, (words,), verb, f"/kmeans/jobs/{job_id}{rest}")
        for job_id, rest, status, words, verb in [
            (UNKNOWN, "", 404, "no job 5", "GET"),
            (UNKNOWN, "", 404, "no job 5", "DELETE"),
            (UNKNOWN, "/labels", 404, "no job 5", "GET"),
            (UNKNOWN, "/centers", 404, "no job 5", "GET"),
            (DELETED, "", 410, "Job 3 was deleted", "GET"),
            (DELETED, "", 410, "Job 3 was deleted", "DELETE"),
            (DELETED, "/model", 410, "Job 3 was deleted", "GET"),
            (UNFITTED, "/labels", 409, "POST /kmeans/fit", "GET"),
            (UNFITTED, "/centers", 409, "POST /kmeans/fit", "GET"),
            (UNFITTED, "/scores", 409, "POST /kmeans/fit", "GET"),
            (UNFITTED, "/model", 409, "POST /kmeans/fit", "GET"),
            (PENDING, "/input", 409, "has not arrived", "GET"),
        ]
    ),
    *(
        Case(f"prediction {bad}", 404, ("no prediction",), "GET", f"/kmeans/predictions/{bad}")
        for bad in ("x", "0", "0-" + "0" * 32, "5-" + "a" * 32, "0-..")
    ),
]


def typed(name: str, content_type: str | None, path: str, body: bytes, *words: str) -> Case:
    headers = {"Content-Type": content_type} if content_type is not None else None
    return Case(name, 415, words, path=path, body=body, headers=headers)


FORM_ONLY = "allowed is multipart/form-data"
TYPES = [
    typed("upload without headers", None, "/kmeans/upload", UPLOAD, "missing", FORM_ONLY),
    typed("fit without headers", None, "/kmeans/fit", FIT, "missing", "application/json"),
    typed("upload of text", "text/csv", "/kmeans/upload", b"1,2", "'text/csv'", FORM_ONLY),
    typed("upload of JSON", "application/json", "/kmeans/upload", FIT, FORM_ONLY),
    typed("upload as mixed", "multipart/mixed; boundary=x", "/kmeans/upload", UPLOAD, FORM_ONLY),
    typed("fit of text", "text/plain", "/kmeans/fit", FIT, "'text/plain'", "application/json"),
    typed("fit of a form", FORM_TYPE["Content-Type"], "/kmeans/fit", UPLOAD, "application/json"),
    typed(
        "fit of a web form",
        "application/x-www-form-urlencoded",
        "/kmeans/fit",
        b"job_id=0",
        "x-www-form-urlenco",
    ),
    typed("an empty type", "", "/kmeans/fit", FIT, "missing"),
    typed("a type of nonsense", ";;;", "/kmeans/fit", FIT, "missing"),
    typed("a type with a NUL", "application/json\0", "/kmeans/fit", FIT, "\\x00"),
    typed("a type of 10,000", "x/" + "y" * 10_000, "/kmeans/fit", FIT, "'x/yyy"),
    typed("predict of CSV", "text/csv", "/kmeans/predict", b"1,2", FORM_ONLY, "application/json"),
    *(
        Case(
            f"Content-Encoding {coding}",
            415,
            ("Content-Encoding", coding, "uncompressed"),
            path="/kmeans/upload",
            body=UPLOAD,
            headers=FORM_TYPE | {"Content-Encoding": coding},
        )
        for coding in ("gzip", "br", "deflate", "gzip, gzip", "aws-chunked")
    ),
]


def accept(wish: str, path: str = "/kmeans/fit", offer: str = "text/csv or application") -> Case:
    verb = "POST" if path == "/kmeans/fit" else "GET"
    headers = JSON_TYPE | {"Accept": wish}
    words = ("Accept is", offer)
    return Case(f"Accept {wish:.40} {path}", 406, words, verb, path, FIT, headers)


ACCEPT = [
    *map(accept, ("text/html", "application/xml", "image/*", "text/csv;q=0", "*/*;q=0", "json")),
    *map(accept, ("*/*;q=0.0", "text/csv; q=x", "text/csv;q=nan", "text/csv;q=2", ",", ";", "\0")),
    accept("text/csv;q=0, application/json;q=0.000"),
    accept("x" * 10_000),
    accept("text/csv", "/kmeans/jobs", "application/json"),
    accept("text/csv", "/kmeans/jobs/0", "application/json"),
    accept("text/html", "/kmeans/health", "application/json"),
    accept("application/json", "/kmeans/jobs/0/model", "application/octet-stream"),
    accept("application/json", "/kmeans/jobs/0/input", "text/csv"),
]

QUERIES = [
    Case(f"query {query:.40}", 422, tuple(words), "GET", f"/kmeans/jobs?{query}")
    for query, *words in [
        ("limit=0", "limit is '0'", "an integer from 1 to 100"),
        ("limit=101", "limit is '101'"),
        ("limit=-1", "limit is '-1'"),
        ("limit=ten", "limit is 'ten'"),
        ("limit=", "limit is ''"),
        ("limit=1.0", "limit is '1.0'"),
        ("limit=%D9%A3", "limit is"),
        ("limit=" + "9" * 5000, "limit is '999"),
        ("limit=1&limit=2", "'limit'", "2 times", "once"),
        ("status=fitted", "status is 'fitted'", "SUCCEEDED"),
        ("status=succeeded", "status is 'succeeded'"),
        ("status=DELETED", "status is 'DELETED'"),
        ("status=", "status is ''"),
        ("cursor=x", "cursor", "next_cursor"),
        ("cursor=SngK", "cursor", "next_cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        ("cursor=" + "A" * 5000, "cursor"),
        ("page=2", "'page' is not known", "limit, cursor, status"),
    ]
]


def large(name: str, size: int, path: str, headers: dict[str, str], advice: str) -> Case:
    words = (f"the body has {size} bytes", "at most 4500000", advice)
    return Case(name, 413, words, path=path, body=b"1" * size, headers=headers)


def event(name: str, **members: object) -> Case:
    words = ("the body arrived damaged",)
    return Case(
        name, 400, words, path="/kmeans/upload", body=UPLOAD, headers=FORM_TYPE, event=members
    )


EVENTS = [
    large("an upload too large", 4_500_001, "/kmeans/upload", FORM_TYPE, "POST /kmeans/uploads"),
    large("points too large", 4_600_000, "/kmeans/predict", JSON_TYPE, "/kmeans/predictions"),
    event("bad base64", body="not base64!", isBase64Encoded=True),
    event("base64 cut off", body=base64.b64encode(UPLOAD).decode()[:-3], isBase64Encoded=True),
    event("base64 of other letters", body="é" * 40, isBase64Encoded=True),
    event("half of a surrogate pair in the event", body="\ud800", isBase64Encoded=False),
    Case(
        "no body in the event",
        400,
        ("the body is empty",),
        headers=JSON_TYPE,
        event={"body": None, "multiValueHeaders": None},
    ),
    Case(
        "lower-case header names",
        422,
        ("'job_id' is missing",),
        body=b"{}",
        headers={"content-type": "application/json; charset=utf-8"},
    ),
    Case(
        "capital media type",
        422,
        ("'job_id' is missing",),
        body=b"{}",
        headers={"CONTENT-TYPE": "APPLICATION/JSON"},
    ),
]

CASES = [*METHODS, *PATHS, *TYPES, *ACCEPT, *QUERIES, *EVENTS]
