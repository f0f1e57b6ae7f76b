"""The picture: by keys, with outliers, with a second file."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.data.dropped import CENTERS
from harness.visitor import Visitor

pytestmark = pytest.mark.services


def test_every_point_is_reached_by_keys_and_told(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    picture = visitor.page.locator("#picture")
    picture.focus()
    picture.press("ArrowRight")
    expect(visitor.page.get_by_role("status")).to_contain_text("Row ")
    expect(visitor.page.locator(".tip")).to_be_visible()
    picture.press("Escape")
    expect(visitor.page.locator(".tip")).to_have_count(0)


SECOND = {
    "more.csv": b"id,letter,width,height\n1,a,50,1\n2,b,1,89\n",
    "its own dialect.csv": "height;width\n1,5;50\n89;1,25\n".encode("utf-16"),
    "no header.csv": b"50,1\n1,89\n",
    "comments.csv": b"# of today\nid,letter,width,height\n1,a,50,1\n2,b,1,89\n",
    "objects.jsonl": b'{"width": 50, "height": 1}\n{"width": 1, "height": 89}\n',
}


@pytest.mark.parametrize("name", SECOND)
def test_a_second_file_is_seen_in_the_same_picture(
    visitor: Visitor, table: Path, tmp_path: Path, name: str
) -> None:
    points = tmp_path / name
    points.write_bytes(SECOND[name])
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.locator("input[data-use=predict]").set_input_files(points)
    told = page.locator(".predict")
    expect(told).to_contain_text("2 rows predicted")
    expect(told).not_to_contain_text("cannot be shown")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save its rows with clusters").click()
    assert saved.value.suggested_filename == f"{points.stem}-clusters.csv"
    assert b"outlier" in Path(saved.value.path()).read_bytes().replace(b"\0", b"") or "no" in name
    assert visitor.is_shut_out() == []
    page.get_by_role("button", name="Take them out of the picture").click()
    expect(told).not_to_contain_text("predicted")


def test_a_second_file_of_other_columns_is_refused(
    visitor: Visitor, table: Path, tmp_path: Path
) -> None:
    points = tmp_path / "others.csv"
    points.write_text("weight,depth,age\n50,1,2\n1,89,4\n")
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.locator("input[data-use=predict]").set_input_files(points)
    expect(visitor.page.get_by_role("alert")).to_contain_text("width")
    visitor.sees_clusters(3)


def test_rows_of_a_file_that_is_no_text_are_seen_and_its_outliers_are_marked(
    visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "shapes.jsonl"
    file.write_text(
        "".join(
            f'{{"x": {x + i % 7}, "y": {y + i % 11}}}\n' for i, (x, y) in enumerate(CENTERS * 20)
        )
    )
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    page = visitor.page
    expect(page.get_by_role("heading", name="First rows")).to_be_visible()
    page.get_by_label("Mark outliers").check()
    page.locator("#picture").focus()
    page.locator("#picture").press("ArrowUp")
    expect(page.locator(".tip")).to_contain_text("distance to the center")
