"""Files that cannot be clustered, and what the page says of them."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.data.converted import parquet
from harness.visitor import Visitor

pytestmark = pytest.mark.services
CASES = Path(__file__).parents[1] / "cases"
FILES = {
    "empty.csv": (b"", "the file is empty"),
    "header.csv": (b"x,y\n", "no rows of numbers"),
    "texts.csv": (b"a,b\nx,p\ny,q\n", "no column of numbers"),
    "same.csv": (b"x,y\n" + b"1,1\n" * 9, "1 distinct rows"),
    "quote.csv": (b'x,y\n1,"2\n3,4\n5,6\n', "opens a quote that is never closed"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(900), "a PNG image"),
    "page.csv": (b"<!doctype html><html><body>1,2</body></html>", "an HTML page"),
    "bytes.csv": (bytes(range(256)) * 9, "a binary file"),
    "cut.csv.gz": (gzip.compress(b"x,y\n1,2\n3,4\n" * 99)[:-9], "the gzip file ends before"),
    "cut.parquet": (parquet()[:-50], "the Parquet file cannot be read"),
    "cut.xlsx": ((CASES / "book.xlsx").read_bytes()[:-300], "the workbook is cut off"),
    "cut.jsonl": (b'{"x": 1}\n{"x":\n', "line 2 is no JSON"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_says_what_is_wrong(visitor: Visitor, tmp_path: Path, name: str) -> None:
    body, said = FILES[name]
    file = tmp_path / name
    file.write_bytes(body)
    visitor.opens()
    visitor.gives(file)
    expect(visitor.page.get_by_role("alert")).to_contain_text(said)
    expect(visitor.page.locator(".work, .cluster")).to_have_count(0)
    assert visitor.is_shut_out() == []


def test_what_is_wrong_is_shown_at_its_cell(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("age,income\n34,41000\nfifty,52000\n41,39000\n52,61000\n")
    visitor.opens()
    visitor.gives(file)
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("Line 3, column 1")
    expect(alert.locator("mark")).to_have_text("fifty")
    visitor.page.get_by_role("button", name="Leave out “age”").click()
    visitor.sees_clusters(2)


def test_a_file_that_is_refused_leaves_a_way_back(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("age,income\n34,41000\n41\n52,61000\n")
    visitor.opens()
    visitor.gives(file)
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("line 3 has 1 cell")
    expect(alert.locator(".wrong")).to_contain_text("41")
    visitor.page.get_by_role("link", name="New file").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(
        "Drop a file, see its clusters"
    )
