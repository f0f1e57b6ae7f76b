"""Files that are no table of numbers, uploaded."""

from harness.api import FORM_TYPE, form
from harness.bad_requests import Case
from harness.data.csv_cases import NO_TABLE, TOO_LARGE_TABLE


def upload(status: int, content: bytes, line: int, column: int | None, words: str) -> Case:
    place = (f"line {line}, column {column}", words) if f"column {column}" in words else (words,)
    body = form(("file", "bad.csv", content))
    name = f"csv: {content[:30]!r} of {len(content)} {words[-10:]}"
    return Case(name, status, place, path="/kmeans/upload", body=body, headers=FORM_TYPE)


CASES = [
    *(upload(422, *case) for case in NO_TABLE),
    *(upload(413, *case) for case in TOO_LARGE_TABLE),
]
