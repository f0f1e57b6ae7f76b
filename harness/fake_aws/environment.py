"""The variables of every function on the fake AWS, set by importing this: before handlers are."""

import os

BUCKET, TABLE, QUEUE = "kmeans-test-data", "kmeans-test-jobs", "kmeans-test-fits"
ACCOUNT, REGION = "123456789012", "eu-central-1"

# boto3 and Powertools read these.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "POWERTOOLS_SERVICE_NAME": "kmeans",
    "POWERTOOLS_METRICS_NAMESPACE": "KMeansService",
    "DATA_BUCKET": BUCKET,
    "JOBS_TABLE": TABLE,
    "CONVERT_FUNCTION": "convert",
    "DEFAULT_OWNER": "tester",
    "JOB_EXPIRY_DAYS": "30",
    "MAX_REQUESTS_PER_MINUTE": "1000000",  # all tests are one owner
    # GNU OpenMP hangs in a forked child whose parent has used its threads.
    "OMP_NUM_THREADS": "1",
}
