"""Bad multipart bodies and bad fields of them."""

from harness.api import BOUNDARY, FORM_TYPE, MODEL_CSV, form
from harness.bad_requests import DELETED, FITTED, NAMED, PENDING, UNFITTED, UNKNOWN, Case

MULTIPART = "multipart/form-data"
GOOD = form(("file", "model.csv", MODEL_CSV))


def upload(
    name: str, status: int, body: bytes, *words: str, content_type: str | None = None
) -> Case:
    headers = {"Content-Type": content_type or FORM_TYPE["Content-Type"]}
    return Case(name, status, words, path="/kmeans/upload", body=body, headers=headers)


def part(*lines: str | bytes, content: bytes = b"1,2\r\n3,4") -> bytes:
    """A body of one part with these header lines."""
    head = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\r\n" for x in lines)
    return f"--{BOUNDARY}\r\n".encode() + head + b"\r\n" + content + f"\r\n--{BOUNDARY}--".encode()


FILE = 'Content-Disposition: form-data; name="file"; filename="a.csv"'
INSIDE = f"1,2\r\n--{BOUNDARY}".encode()

BODIES = [
    upload("no boundary", 400, GOOD, "boundary in Content-Type is missing", content_type=MULTIPART),
    upload("an empty boundary", 400, GOOD, "boundary", content_type=f'{MULTIPART}; boundary=""'),
    upload(
        "a boundary of 71 characters",
        400,
        GOOD,
        "is 'xxx",
        "1 to 70 characters",
        content_type=f"{MULTIPART}; boundary={'x' * 71}",
    ),
    upload(
        "a boundary with a brace",
        400,
        GOOD,
        "is 'a{b'",
        content_type=f'{MULTIPART}; boundary="a{{b"',
    ),
    upload(
        "another boundary",
        400,
        GOOD,
        "not well-formed",
        "oundary not found",
        content_type=f"{MULTIPART}; boundary=other",
    ),
    upload("an empty form body", 400, b"", "not well-formed", "end of multipart"),
    upload("only the last boundary", 422, f"--{BOUNDARY}--".encode(), "'file' is missing"),
    upload("cut in the content", 400, GOOD[: len(GOOD) // 2 + 40], "not well-formed", "end of"),
    upload("cut in the header", 400, GOOD[:40], "not well-formed"),
    upload("no last boundary", 400, GOOD[: -len(BOUNDARY) - 6], "not well-formed", "end of"),
    upload("text before", 400, b"hello" + GOOD, "not well-formed"),
    upload("data after the end", 400, GOOD + b"more", "goes on after its last boundary"),
    upload("a second form behind", 400, GOOD + GOOD, "goes on after its last boundary"),
    upload("line feeds only", 400, GOOD.replace(b"\r\n", b"\n"), "not well-formed", "line break"),
    upload("the boundary in the file", 400, part(FILE, content=INSIDE + b"9"), "boundary"),
    upload("the end in the file", 400, part(FILE, content=INSIDE + b"--\r\n3"), "goes on after"),
    upload("no headers", 400, part(), "not well-formed", "Content-Disposition"),
    upload("a header without colon", 400, part("Content-Disposition"), "Malformed segment header"),
    upload("a bad header name", 400, part("Content Disposition: form-data"), "header name"),
    upload("a folded header", 400, part(FILE, " x"), "continuation"),
    upload(
        "an attachment", 400, part('Content-Disposition: attachment; name="file"'), "Wrong type"
    ),
    upload("no name", 400, part('Content-Disposition: form-data; filename="a"'), "Missing name"),
    upload("a name that is no UTF-8", 400, part(FILE.encode() + b"\xff"), "failed to decode"),
    upload("a wrong part length", 400, part(FILE, "Content-Length: 3"), "Content-Length"),
    upload("a negative part length", 400, part(FILE, "Content-Length: -1"), "Content-Length"),
    upload("nine headers", 413, part(FILE, *["X: y"] * 8), "header count", "8 headers"),
    upload("a header of 9,000 bytes", 413, part("X: " + "y" * 9000), "header length", "8192 bytes"),
    upload(
        "a header without end", 413, f"--{BOUNDARY}\r\nX: ".encode() + b"y" * 9000, "header length"
    ),
    upload("17 parts", 413, form(*[(f"f{i}", None, b"") for i in range(17)]), "at most 16 parts"),
    upload("10,000 parts", 413, form(*[("f", None, b"") for _ in range(10_000)]), "16 parts"),
]

FIELDS = [
    upload("no file", 422, form(("data", "a.csv", MODEL_CSV)), "'data' is not known", "are file"),
    upload("no parts", 422, f"--{BOUNDARY}--\r\n".encode(), "'file' is missing"),
    upload("two files", 422, form(*[("file", "a.csv", b"1")] * 2), "'file'", "more than once"),
    upload(
        "a file and more", 422, form(("file", "a", b"1"), ("k", None, b"3")), "'k' is not known"
    ),
    upload("capital file", 422, form(("File", "a.csv", b"1")), "'File' is not known"),
    upload("an empty field name", 422, form(("", "a.csv", b"1")), "'' is not known"),
    upload("a field name of 5,000", 422, form(("x" * 5000, "a", b"1")), "'xxx", "is not known"),
    upload("no file name", 422, form(("file", None, b"1,2")), "'file'", "no file name"),
    upload("an empty file name", 422, form(("file", "", b"1,2")), "'file'", "no file name"),
    upload(
        "only filename*, in no UTF-8",
        400,
        part("Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%ff.csv"),
        "filename*=",
        "RFC 8187",
    ),
    upload(
        "a file name of 1,025",
        422,
        form(("file", "x" * 1025, b"1")),
        "'file' has 1025 characters",
        "at most 1024",
    ),
    upload("a file name of 5,000", 422, form(("file", "x" * 5000, b"1")), "5000 characters"),
    upload("base64", 415, part(FILE, "Content-Transfer-Encoding: base64"), "'base64'", "'file'"),
    upload(
        "quoted-printable", 415, part(FILE, "Content-Transfer-Encoding: QP"), "'QP'", "RFC 7578"
    ),
    *(
        upload(f"a {kind} file", 415, part(FILE, f"Content-Type: {kind}"), kind, "text/csv")
        for kind in ("image/png", "text/html", "application/zip", "application/pdf", "csv")
    ),
    *(
        upload(
            f"a file in {charset}",
            415,
            part(FILE, f"Content-Type: text/csv; charset={charset}"),
            "'file' has charset",
            charset.strip('"'),
            "allowed is utf-8",
        )
        for charset in ("utf-16", '"iso-8859-1"', "latin1")
    ),
    upload("an empty file", 422, form(("file", "a.csv", b"")), "the file is empty"),
]


def predict(name: str, status: int, job_id: object, *words: str, content: bytes = b"0,0") -> Case:
    value = job_id if isinstance(job_id, bytes) else str(job_id).encode()
    body = form(("job_id", None, value), ("file", "p.csv", content))
    return Case(f"predict: {name}", status, words, "POST", "/kmeans/predict", body, FORM_TYPE)


ALLOWED = "allowed is an integer from 0 to 9999999999"
PREDICT = [
    *(
        predict(f"job_id {bad!r:.20}", 422, bad, "job_id is", ALLOWED)
        for bad in (b"", b" 0", b"0\n", b"+0", b"-1", b"0.0", b"00", b"1e3", b"true", b"null", b"x")
    ),
    predict("job_id in other digits", 422, "٣".encode(), "job_id is", ALLOWED),
    predict("job_id no UTF-8", 422, b"\xff", "'job_id' is not UTF-8"),
    predict("job_id of 1,000,000 digits", 422, b"1" * 1_000_000, "job_id is '111", ALLOWED),
    predict("unknown", 404, UNKNOWN, "no job 5"),
    predict("deleted", 410, DELETED, "Job 3 was deleted"),
    predict("not fitted", 409, UNFITTED, "Job 2 is UPLOADED", content=b"0"),
    predict("pending", 409, PENDING, "Job 4 is PENDING"),
    predict("one feature", 422, FITTED, "have 1 feature,", "fitted with 2", content=b"0"),
    predict("three features", 422, FITTED, "have 3 features", "with 2", content=b"0,0,0"),
    predict("another name", 422, NAMED, "have no column 'y'", content=b"x,z\n0,0"),
    predict("another case", 422, NAMED, "have no column 'x'", content=b"X,Y\n0,0"),
    predict("a bad cell", 422, FITTED, "line 2, column 1: 'a'", content=b"0,0\na,0"),
    predict("only a header", 422, NAMED, "a header and no rows", content=b"x,y\n"),
    predict("an empty file", 422, FITTED, "the file is empty", content=b""),
    Case(
        "predict: no job_id",
        422,
        ("'job_id' is missing",),
        path="/kmeans/predict",
        body=form(("file", "p.csv", b"0,0")),
        headers=FORM_TYPE,
    ),
    Case(
        "predict: no file",
        422,
        ("'file' is missing",),
        path="/kmeans/transform",
        body=form(("job_id", None, b"0")),
        headers=FORM_TYPE,
    ),
]


def fit_predict(name: str, status: int, *parts: tuple[str, str | None, bytes], words: str) -> Case:
    path = "/kmeans/fit_predict"
    body = form(("file", "new.csv", b"1,2\n3,4\n"), *parts)
    return Case(f"fit_predict: {name}", status, (words,), "POST", path, body, FORM_TYPE)


FIT_PREDICT = [
    fit_predict("bad JSON", 400, ("model_params", None, b"{"), words="model_params is not JSON"),
    fit_predict("no UTF-8", 422, ("model_params", None, b"\xff"), words="'model_params' is not"),
    fit_predict("a list", 422, ("model_params", None, b"[]"), words="model_params is []"),
    fit_predict("an empty text", 400, ("model_params", None, b""), words="model_params is empty"),
    fit_predict("unknown field", 422, ("job_id", None, b"0"), words="'job_id' is not known"),
    fit_predict("no file name", 422, ("predict", None, b"0,0"), words="'predict' is not a file"),
    fit_predict("bad points", 422, ("predict", "p.csv", b"0,a"), words="line 1, column 2"),
    fit_predict("other points", 422, ("predict", "p.csv", b"0"), words="have 1 feature,"),
    fit_predict(
        "too many clusters",
        422,
        ("model_params", None, b'{"n_clusters": 3}'),
        words="allowed is at most n_samples=2",
    ),
]

CASES = [*BODIES, *FIELDS, *PREDICT, *FIT_PREDICT]
