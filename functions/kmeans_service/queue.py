"""The queue that feeds the worker."""

import json

from kmeans_service import aws, config
from kmeans_service.jobs.job import Job


def enqueue_fit(job: Job) -> None:
    """Ask the worker for this job's fit. The message names the fit, so a late one is harmless."""
    message = {"owner": job.owner, "job_id": job.job_id, "fit_id": job.fit_id}
    aws.sqs().send_message(
        QueueUrl=config.settings().fit_queue_url, MessageBody=json.dumps(message)
    )
