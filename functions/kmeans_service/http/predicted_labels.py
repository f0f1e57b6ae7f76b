"""The answer of labels that were predicted just now."""

from kmeans_service.http import answers
from kmeans_service.http.job_answers import labels_csv_answer, labels_json_answer
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import JSON
from kmeans_service.models.labels import Labels, to_csv, to_json


def predicted_answer(
    job: Job, labels: Labels, media_type: str, headers: answers.Headers
) -> answers.Answer:
    """As CSV or as JSON; raises TooLarge."""
    if media_type == JSON:
        return labels_json_answer(to_json(labels), headers)
    return labels_csv_answer(to_csv(labels), f"{job.filename}.predicted.csv", headers)
