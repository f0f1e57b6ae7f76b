"""Files that break the grammar, uploaded."""

from harness.api import FORM_TYPE, form
from harness.bad_requests import Case
from harness.data.csv_cases import INVALID, TOO_LARGE


def upload(status: int, content: bytes, line: int, column: int | None, words: str) -> Case:
    place = (f"line {line}, column {column}", words) if f"column {column}" in words else (words,)
    body = form(("file", "bad.csv", content))
    name = f"csv: {content[:30]!r} of {len(content)} {words[-10:]}"
    return Case(name, status, place, path="/kmeans/upload", body=body, headers=FORM_TYPE)


CASES = [
    *(upload(422, *case) for case in INVALID),
    *(upload(413, *case) for case in TOO_LARGE if len(case[0]) < 4_400_000),
]
