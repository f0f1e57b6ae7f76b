"""Files of every kind of table, in a real browser: all show their rows in their clusters."""

import gzip
import json
import random
from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.data.converted import parquet
from harness.visitor import Visitor

pytestmark = pytest.mark.services
CASES = Path(__file__).parents[1] / "cases"
PLACES = [(x + i % 7, y + i % 11) for i, (x, y) in enumerate([(0, 0), (50, 45), (0, 90)] * 6)]


def lines(delimiter: str = ",", head: str = "x,y", decimal: str = ".") -> str:
    rows = [f"{x}.5,{y}.25" for x, y in PLACES]
    return "".join(
        f"{row}\n".replace(",", delimiter).replace(".", decimal) for row in [head, *rows] if row
    )


def objects() -> str:
    return "".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in PLACES)


FILES = {
    "tabs.tsv": lines("\t").encode(),
    "from Germany.csv": lines(";", "größe,höhe", ",").encode("latin-1"),
    "from Excel.csv": b"\xef\xbb\xbfsep=;\r\n" + lines(";").replace("\n", "\r\n").encode(),
    "sixteen bits.csv": lines().encode("utf-16"),
    "no header.csv": lines(head="").encode(),
    "by spaces.txt": lines("   ").encode(),
    "comments.csv": f"# measured\n# twice\n{lines()}".encode(),
    "quoted.csv": lines(head='"a, ""b""","c\nd"').encode(),
    "packed.csv.gz": gzip.compress(lines().encode()),
    "objects.jsonl": objects().encode(),
    "packed.jsonl.gz": gzip.compress(objects().encode()),
    "columns.parquet": parquet(PLACES),
    "packed.parquet.gz": gzip.compress(parquet(PLACES)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_table_shows_its_rows_in_its_clusters(
    visitor: Visitor, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(FILES[name])
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    rows = visitor.page.locator("section[aria-labelledby=first-rows] tbody tr")
    expect(rows).to_have_count(8)
    cells = rows.first.locator("td").all_inner_texts()
    assert [float(cell.replace(",", ".")) for cell in cells[1:]] in ([0.5, 0.25], [0, 0])


def test_a_workbook_is_read_and_says_why_it_has_no_clusters(visitor: Visitor) -> None:
    visitor.opens()
    visitor.gives(CASES / "book.xlsx")
    expect(visitor.page.get_by_role("alert")).to_contain_text("2 distinct rows")
    expect(visitor.page.locator("main")).to_contain_text("shown here once their clusters are found")
    expect(visitor.page.locator("main")).not_to_contain_text("separated by")
    visitor.gives_number(2)
    visitor.page.get_by_role("button", name="Find clusters").click()
    visitor.sees_clusters(2)
    expect(visitor.page.get_by_role("heading", name="First rows")).to_be_visible()


def test_a_table_of_many_columns_is_shown_at_any_width(visitor: Visitor, tmp_path: Path) -> None:
    draw = random.Random(7)
    file = tmp_path / "wide.csv"
    head = ",".join(f"a rather long name of a column {i}" for i in range(60))
    rows = [[f"{i % 3 * 10 + draw.random():.3f}" for _ in range(60)] for i in range(60)]
    file.write_text("\n".join([head, *map(",".join, rows), ""]))
    visitor.page.set_viewport_size({"width": 320, "height": 700})
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    columns = visitor.page.locator("table.columns tbody tr")
    expect(columns).to_have_count(12)
    visitor.page.get_by_role("button", name="Show all").last.click()
    expect(columns).to_have_count(60)
    for width in (320, 768, 2560):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)
