"""What the report says of each cluster."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from kmeans_service.explaining import numerals
from kmeans_service.explaining.report.figures import short, shown
from kmeans_service.explaining.report.marks import N_MARKS, mark
from kmeans_service.explaining.report.markup import element, table

# So many clusters are described one by one, the largest; all of them stand in the first table.
MOST_DETAILED = 24
MOST_CELLS = 40

type Cluster = Mapping[str, Any]


def name_of(cluster: Cluster) -> str:
    return cluster["name"] or f"Cluster {cluster['number']}"


def column_of(each: Mapping[str, Any]) -> str:
    return each["name"] or f"column {each['column']}"


def overview(answer: Mapping[str, Any]) -> list[Element]:
    """All clusters, a line each, and what a reader should know of all of them."""
    rows = [_line(cluster) for cluster in answer["clusters"]]
    head = ("Cluster", "What sets it apart", "Share", "Rows")
    notes = [element("p", note, class_="quiet") for note in answer["notes"]]
    fidelity = numerals.percent(answer["tree"]["fidelity"])
    rules = f"The clusters' rules name the right cluster of {fidelity} of the rows."
    return [
        element("h2", "The clusters"),
        table("The clusters and their sizes", head, rows, numbers=1),
        element("p", rules, class_="quiet"),
        *notes,
    ]


def _line(cluster: Cluster) -> list[Element | str]:
    return [
        element("span", mark(cluster["label"]), name_of(cluster)),
        element("div", cluster["sentence"], class_="said"),
        element("span", numerals.percent(cluster["share"]), _bar(cluster)),
        f"{cluster['size']:,}",
    ]


def _bar(cluster: Cluster) -> Element:
    """The share, to be seen at a glance; it stands beside in figures."""
    width = max(0.5, 100 * cluster["share"])
    rect = element("rect", width=f"{width:.1f}", height="10")
    kind = f"bar k{cluster['label'] % N_MARKS}"
    return element(
        "svg",
        rect,
        class_=kind,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def details(answer: Mapping[str, Any]) -> list[Element]:
    """Each cluster by itself."""
    clusters = sorted(answer["clusters"], key=lambda each: -each["size"])[:MOST_DETAILED]
    chosen = sorted(clusters, key=lambda each: each["label"])
    found = [element("h2", "Each cluster")]
    if len(chosen) < len(answer["clusters"]):
        more = f"The {len(chosen)} largest of {len(answer['clusters']):,} clusters."
        found.append(element("p", more, class_="quiet"))
    return found + [_detail(cluster) for cluster in chosen]


def _detail(cluster: Cluster) -> Element:
    size = f"{cluster['size']:,} rows, {numerals.percent(cluster['share'])} of all."
    return element(
        "section",
        element("h3", mark(cluster["label"]), name_of(cluster)),
        element("p", f"{size} {cluster['sentence']}"),
        element("p", _rule(cluster)),
        _differences(cluster),
        _center(cluster),
        _typical(cluster),
        class_="cluster",
    )


def _rule(cluster: Cluster) -> str:
    rule = cluster["rule"]
    if rule is None:
        return "No rule names this cluster."
    coverage, precision = (numerals.percent(rule[name]) for name in ("coverage", "precision"))
    return (
        f"Rule: {rule['text']}. It holds for {coverage} of the cluster's rows, and {precision} of "
        "the rows that it holds for are the cluster's."
    )


def _differences(cluster: Cluster) -> Element | None:
    rows = [_difference(each) for each in cluster["sets_apart"]]
    if not rows:
        return None
    head = (
        "Column",
        "Difference",
        "Here",
        "Elsewhere",
        "Middle half here",
        "Middle half elsewhere",
    )
    caption = f"{name_of(cluster)}: columns in the order in which they set it apart"
    return table(caption, head, rows, numbers=5)


def _difference(each: Mapping[str, Any]) -> list[str]:
    name = column_of(each)
    by = f"{each['difference']:+.2f} sd"
    if "value" in each:
        shares = numerals.percents(each["share"], each["rest_share"])
        return [f"{name}: {each['value']}", by, *shares, "–", "–"]
    if "quantiles" not in each:
        return [name, by, short(each["mean"]), short(each["rest_mean"]), "–", "–"]
    own, rest = each["quantiles"], each["rest_quantiles"]
    halves = [f"{short(found['0.25'])} – {short(found['0.75'])}" for found in (own, rest)]
    return [name, by, short(own["0.5"]), short(rest["0.5"]), *halves]


def _center(cluster: Cluster) -> Element:
    """In the user's units, column by column."""
    middles = [f"{column_of(each)} {_middle(each)}" for each in cluster["center"][:MOST_CELLS]]
    more = len(cluster["center"]) - len(middles)
    if more > 0:
        middles.append(f"and {more:,} more columns")
    return element("p", f"Center: {', '.join(middles)}.")


def _middle(each: Mapping[str, Any]) -> str:
    if "share" in each:
        return f"{each['value']} ({numerals.percent(each['share'])} of its rows)"
    mean = f" (mean {shown(each['mean'])})" if "mean" in each else ""
    return shown(each["value"]) + mean


def _typical(cluster: Cluster) -> Element | None:
    row = cluster["typical_row"]
    if row is None:
        return None
    cells = ", ".join(row["cells"][:MOST_CELLS])
    more = ", …" if len(row["cells"]) > MOST_CELLS else ""
    return element(
        "p", f"Most typical row: line {row['line']:,} of the file: ", element("q", cells + more)
    )
