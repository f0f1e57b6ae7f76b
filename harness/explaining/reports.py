"""Reports of fits, as arrays have them."""

from harness.explaining.fits import Fit
from kmeans_service.explaining import clusters, projection
from kmeans_service.explaining.file_rows import FileRow
from kmeans_service.explaining.report.content import Content

HOSTILE = "<script>alert(1)</script>\"'&</style><!--\u202e\x00"


def content_of(fit: Fit, title: str = "iris.csv", cell: str = "5.1") -> Content:
    explained = fit.explained()
    typical = {each.typical or 0: FileRow(9, (cell, "1")) for each in explained.clusters}
    return Content(
        title,
        [("File", title)],
        [f"warned of {title}"],
        clusters.as_json(explained, typical),
        projection.as_json(projection.project(fit.rows, fit.columns, fit.model, fit.sizes)),
        [(column.called, "used", title) for column in fit.columns],
        f"curl {title}",
        {"scikit-learn": "1.9.1"},
    )
