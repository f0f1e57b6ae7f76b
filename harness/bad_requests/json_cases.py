"""Bad JSON and bad fields of it."""

import json
from typing import Any

from harness.api import JSON_TYPE
from harness.bad_requests import DELETED, FITTED, NAMED, PENDING, UNFITTED, UNKNOWN, Case

IDS = ("job_id", "allowed is an integer from 0 to 9999999999")


def raw(name: str, status: int, body: bytes, *words: str, path: str = "/kmeans/fit") -> Case:
    return Case(name, status, words, path=path, body=body, headers=JSON_TYPE)


def fit(name: str, status: int, value: Any, *words: str, path: str = "/kmeans/fit") -> Case:
    return raw(name, status, json.dumps(value).encode(), *words, path=path)


def param(name: str, value: Any, *words: str, status: int = 422) -> Case:
    shown = json.dumps(value)[:20]
    case = {"job_id": FITTED, "model_params": {name: value}}
    return fit(f"{name}={shown}", status, case, f"model_params.{name}", "allowed", *words)


def params(name: str, values: tuple[Any, ...], *words: str) -> list[Case]:
    return [param(name, value, *words) for value in values]


def named(name: Any, *words: str) -> Case:
    case = {"filename": name}
    return fit(f"uploads: name {name!r:.20}", 422, case, *words, path="/kmeans/uploads")


SYNTAX = [
    raw("no body", 400, b"", "the body is empty"),
    raw("blank body", 400, b" \n", "the body is empty"),
    raw("not JSON", 400, b"job_id=0", "not JSON", "line 1, column 1"),
    raw("unfinished JSON", 400, b'{"job_id": 0', "not JSON", "line 1, column 13"),
    raw("JSON of two values", 400, b'{"job_id": 0}{}', "Extra data", "line 1, column 14"),
    raw("a trailing comma", 400, b'{"job_id": 0,}', "not JSON", "line 1, column 13"),
    raw("single quotes", 400, b"{'job_id': 0}", "not JSON", "line 1, column 2"),
    raw("a comment", 400, b'{"job_id": 0 /* first */}', "not JSON", "column 14"),
    raw("an error on line 2", 400, b'{\n"job_id": zero}', "line 2, column 11"),
    raw("NaN", 400, b'{"job_id": NaN}', "NaN", "finite"),
    raw("Infinity", 400, b'{"job_id": 0, "model_params": {"tol": -Infinity}}', "-Infinity"),
    raw("a key twice", 400, b'{"job_id": 0, "job_id": 1}', "'job_id'", "more than once"),
    raw("a key twice deep", 400, b'{"job_id":0,"model_params":{"tol":1,"tol":2}}', "'tol'"),
    raw("100,000 brackets", 400, b"[" * 100_000, "nested too deeply"),
    raw("100,000 braces", 400, b'{"a":' * 100_000, "nested too deeply"),
    raw("500 brackets", 422, b"[" * 500 + b"]" * 500, "the body is [[[", "allowed is an object"),
    raw("an integer of 5,000 digits", 400, b'{"job_id": ' + b"9" * 5000 + b"}", "digits"),
    raw("no UTF-8", 400, b'{"job_id": "\xff"}', "not UTF-8", "0xff", "offset 12"),
    raw("UTF-16", 400, '{"job_id": 0}'.encode("utf-16"), "not UTF-8", "offset 0"),
    raw("a control character", 400, b'{"job_id": "\x01"}', "Invalid control character", "column"),
    raw("a bad escape", 400, b'{"job_id": "\\x"}', "escape", "column 13"),
    raw("half of a surrogate pair", 422, b'{"job_id": "\\ud800"}', *IDS, "\\ud800"),
    raw("half of a surrogate pair as a key", 422, b'{"\\ud800": 0}', "is not known"),
    raw("a pair of surrogates the wrong way round", 422, b'{"job_id": "\\udc00\\ud800"}', *IDS),
    raw("surrogates in UTF-8", 400, b'{"job_id": "\xed\xa0\x80"}', "not UTF-8", "0xed"),
    raw("an overlong slash", 400, b'{"job_id": "\xc0\xaf"}', "not UTF-8", "0xc0"),
    raw("a key twice in other words", 400, b'{"job_id": 0, "\\u006aob_id": 1}', "'job_id'", "once"),
    raw("a prototype", 422, b'{"__proto__": {"owner": "x"}, "job_id": 0}', "'__proto__'"),
    raw("an owner", 422, b'{"job_id": 0, "owner": "alice"}', "'owner' is not known"),
    raw("a NUL behind", 400, b'{"job_id": 0}\0', "not JSON", "column 14"),
    raw("two byte order marks", 400, b"\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON"),
    raw("a number with a plus", 400, b'{"job_id": +1}', "not JSON", "column 12"),
    raw("a hexadecimal number", 400, b'{"job_id": 0x0}', "not JSON", "column 13"),
    raw("an integer of 4,300 digits", 422, b'{"job_id": ' + b"9" * 4300 + b"}", *IDS),
    raw("an exponent of 1,000 digits", 422, b'{"job_id": 1e' + b"9" * 1000 + b"}", *IDS),
    raw("100,000 keys", 422, b"{%s}" % b",".join(b'"a%d":0' % i for i in range(10**5)), "'a0'"),
    raw(
        "900 brackets in a parameter",
        422,
        b'{"job_id": 0, "model_params": {"init": ' + b"[" * 900 + b"]" * 900 + b"}}",
        "model_params.init",
    ),
]

BODIES = [
    fit("an array", 422, [0], "the body is [0]", "allowed is an object"),
    fit("a text", 422, "0", 'the body is "0"', "allowed is an object"),
    fit("a number", 422, 0, "the body is 0", "allowed is an object"),
    fit("null", 422, None, "the body is null", "allowed is an object"),
    fit("an empty object", 422, {}, "'job_id' is missing"),
    fit("no job_id", 422, {"model_params": {}}, "'job_id' is missing"),
    fit("job_id text", 422, {"job_id": "0"}, *IDS, '"0"'),
    fit("job_id float", 422, {"job_id": 0.0}, *IDS, "0.0"),
    fit("job_id true", 422, {"job_id": True}, *IDS, "true"),
    fit("job_id null", 422, {"job_id": None}, *IDS, "null"),
    fit("job_id -1", 422, {"job_id": -1}, *IDS, "-1"),
    fit("job_id array", 422, {"job_id": [0]}, *IDS, "[0]"),
    fit("job_id object", 422, {"job_id": {"id": 0}}, *IDS),
    fit("job_id too large", 422, {"job_id": 10**10}, *IDS, "10000000000"),
    fit("job_id of 40 digits", 422, {"job_id": 10**40}, *IDS),
    raw("job_id 1e999", 422, b'{"job_id": 1e999}', *IDS, "Infinity"),
    fit("an unknown field", 422, {"job_id": 0, "k": 3}, "'k' is not known", "job_id, model_params"),
    fit("a field in capitals", 422, {"JOB_ID": 0}, "'JOB_ID' is not known"),
    fit("a field of 100,000 characters", 422, {"x" * 100_000: 0}, "'xxx", "…' is not known"),
    fit("a field with a NUL", 422, {"a\0b": 0}, "'a\\x00b' is not known"),
    fit("unknown job", 404, {"job_id": UNKNOWN}, "no job 5"),
    fit("unknown job of ten digits", 404, {"job_id": 9_999_999_999}, "no job 9999999999"),
    fit("deleted job", 410, {"job_id": DELETED}, "Job 3 was deleted"),
    fit("a job whose file is not there", 409, {"job_id": PENDING}, "job 4 has not arrived"),
]

COUNT = "an integer from 1 to "
PARAMS = [
    fit("model_params a list", 422, {"job_id": 0, "model_params": []}, "model_params is []"),
    fit("model_params a text", 422, {"job_id": 0, "model_params": "{}"}, 'model_params is "{}"'),
    fit("model_params null", 422, {"job_id": 0, "model_params": None}, "is null", "an object"),
    fit("model_params 3", 422, {"job_id": 0, "model_params": 3}, "is 3; allowed is an object"),
    fit(
        "an unknown parameter",
        422,
        {"job_id": 0, "model_params": {"verbose": 1}},
        "unknown parameter 'verbose'; allowed are n_clusters, init, n_init, max_iter",
    ),
    fit(
        "a parameter of 1,000,000 characters",
        422,
        {"job_id": 0, "model_params": {"x" * 1_000_000: 1}},
        "unknown parameter 'xxx",
    ),
    *params("n_clusters", ("3", True, 3.0, None, [3], {}, 0, -1), COUNT + "1000"),
    param("n_clusters", 1001, "is 1001", COUNT + "1000"),
    param("n_clusters", 10**30, COUNT + "1000"),
    param("n_clusters", 7, "n_samples=6"),
    param("tol", 10**400, "a finite number of at least 0"),
    param("init", [[1, 2], [3, 10**400]], "init[1][1] is 1000", "1e+100"),
    param("random_state", 10**400, "an integer from 0 to 4294967295, or null"),
    *params("n_init", ("3", "AUTO", True, 1.0, None, 0), '"auto"', COUNT + "100"),
    param("n_init", 101, "is 101", COUNT + "100"),
    *params("max_iter", ("300", False, 300.0, None, 0, -5), COUNT + "10000"),
    param("max_iter", 10_001, "is 10001", COUNT + "10000"),
    *params("tol", ("0", True, None, [], -1e-9), "a finite number of at least 0"),
    raw(
        "tol 1e999",
        422,
        b'{"job_id": 0, "model_params": {"tol": 1e999}}',
        "model_params.tol is Infinity",
    ),
    *params(
        "random_state", ("0", True, 1.0, [], -1, 2**32), "an integer from 0 to 4294967295, or null"
    ),
    *params("algorithm", ("auto", "LLOYD", "", None, 1, []), '"lloyd" or "elkan" or "swap"'),
    *(
        fit(
            f"swap from {said}",
            422,
            {"job_id": 0, "model_params": {"algorithm": "swap", "init": init}},
            f"model_params.init is {said} with algorithm",
            "its own starts",
            "k-means++",
        )
        for init, said in (("random", '"random"'), ([[1, 2], [3, 4]], "an array"))
    ),
    *params("init", ("kmeans", "", None, 1, True, {}, []), '"k-means++"'),
    param("init", [1, 2], "init[0] is 1", "an array of numbers"),
    param("init", [[]], "init[0] is []", "an array of numbers"),
    param("init", [[1, 2], 3], "init[1] is 3", "an array of numbers"),
    param("init", [[1, 2], [3]], "init[1] is an array of 1", "an array of 2"),
    param("init", [[1, 2], [3, "4"]], 'init[1][1] is "4"', "1e+100"),
    param("init", [[1, 2], [3, True]], "init[1][1] is true"),
    param("init", [[1, 2], [3, None]], "init[1][1] is null"),
    param("init", [[1, 2], [3, 1e101]], "init[1][1] is 1e+101", "1e+100"),
    param("init", [[1, 2]], "is an array of 1 rows", "2 rows, as many as n_clusters"),
    param("init", [[1], [2]], "rows of 1 numbers", "n_features=2"),
    param("init", [[[1]], [[2]]], "init[0][0] is [1]"),
    fit(
        "init of 20,000 numbers",
        413,
        {"job_id": 0, "model_params": {"init": [[0] * 10_000] * 2}},
        "model_params.init holds 20000 numbers",
        "at most 10000",
    ),
]


def deep(brackets: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(brackets):
        value = [value]
    return value


def points(name: str, status: int, value: Any, *words: str, job_id: Any = FITTED) -> Case:
    body = {"job_id": job_id, "points": value}
    return fit(f"points: {name}", status, body, *words, path="/kmeans/predict")


POINTS = [
    points("a text", 422, "1,2", 'points is "1,2"', "an array of points"),
    points("none", 422, [], "points is []", "at least one"),
    points("null", 422, None, "points is null"),
    points("a flat array", 422, [1, 2], "points[0] is 1", "an array of numbers"),
    points("an empty point", 422, [[]], "points[0] is []"),
    points("uneven points", 422, [[1, 2], [3]], "points[1] is an array of 1", "an array of 2"),
    points("a text in one", 422, [[1, 2], [3, "4"]], 'points[1][1] is "4"', "a number"),
    points("true in one", 422, [[True, 2]], "points[0][0] is true"),
    points("null in one", 422, [[None, 2]], "points[0][0] is null"),
    points("1e101", 422, [[1, 1e101]], "points[0][1] is 1e+101", "1e+100"),
    points("an integer of 400 digits", 422, [[1, 10**400]], "points[0][1] is 1000", "1e+100"),
    points("a row of 100,000", 422, [[0] * 100_000], "have 100000 features", "fitted with 2"),
    points("900 brackets", 422, deep(900), "points[0][0] is [[["),
    points("three features", 422, [[1, 2, 3]], "have 3 features", "fitted with 2"),
    points("one feature", 422, [[1]], "have 1 feature,", "fitted with 2"),
    points("not fitted", 409, [[1, 2]], "Job 2 is UPLOADED", "POST /kmeans/fit", job_id=UNFITTED),
    points("pending", 409, [[1, 2]], "Job 4 is PENDING", job_id=PENDING),
    points("deleted", 410, [[1, 2]], "Job 3 was deleted", job_id=DELETED),
    points("unknown", 404, [[1, 2]], "no job 5", job_id=UNKNOWN),
    points("job_id a text", 422, [[1, 2]], *IDS, job_id="0"),
    fit("points: no points", 422, {"job_id": 0}, "'points' is missing", path="/kmeans/predict"),
    fit("points: no job_id", 422, {"points": [[0]]}, "'job_id' is missing", path="/kmeans/score"),
    fit(
        "points: unknown field",
        422,
        {"job_id": NAMED, "points": [[0, 0]], "point": 1},
        "'point' is not known; allowed are job_id, points",
        path="/kmeans/transform",
    ),
]

UPLOADS = [
    fit("uploads: no name", 422, {}, "'filename' is missing", path="/kmeans/uploads"),
    named(1, "filename is 1", "a text of 1 to 1024 characters"),
    named("", 'filename is ""', "1 to 1024"),
    named(None, "filename is null"),
    named("x" * 1025, "filename is", "1 to 1024"),
    raw(
        "uploads: half of a surrogate pair",
        422,
        b'{"filename": "\\ud800"}',
        "filename is",
        path="/kmeans/uploads",
    ),
    fit(
        "uploads: bad parameter",
        422,
        {"filename": "a.csv", "model_params": {"n_clusters": 0}},
        "model_params.n_clusters is 0",
        path="/kmeans/uploads",
    ),
    fit("predictions: no job", 404, {"job_id": 5}, "no job 5", path="/kmeans/predictions"),
    fit("predictions: not fitted", 409, {"job_id": 2}, "Job 2", path="/kmeans/predictions"),
    fit("predictions: text", 422, {"job_id": "0"}, *IDS, path="/kmeans/predictions"),
]

CASES = [*SYNTAX, *BODIES, *PARAMS, *POINTS, *UPLOADS]
