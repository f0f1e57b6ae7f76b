"""The answer of labels that were predicted just now."""

from kmeans_service import http
from kmeans_service.answers import labels_csv_answer, labels_json_answer
from kmeans_service.jobs.job import Job
from kmeans_service.labels import Labels, to_csv, to_json


def predicted_answer(
    job: Job, labels: Labels, media_type: str, headers: http.Headers
) -> http.Answer:
    """As CSV or as JSON; raises TooLarge."""
    if media_type == http.JSON:
        return labels_json_answer(to_json(labels), headers)
    return labels_csv_answer(to_csv(labels), f"{job.filename}.predicted.csv", headers)
