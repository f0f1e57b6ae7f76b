"""What a cold start loads: CPU and memory of imports, each in a fresh interpreter.

python -m bench.imports CODE
"""

import json
import sys
import time

from bench.peaks import peak_of_this_process

CLIENTS = "from kmeans_service import aws; aws.s3(); aws.dynamodb()"
BARE, SKLEARN = "pass", "import sklearn.cluster"
GOALS_FOR = {"upload.app": 0.15, "predict.app": 0.20, "fit.app": 0.3}  # of sklearn.cluster's CPU
HANDLERS = (
    *("upload.app", "fit.app", "worker.app", "predict.app"),
    *("explain.app", "jobs.app", "docs.app"),
)


def with_clients(handler: str) -> str:
    return f"import {handler}; {CLIENTS}"


def main() -> None:
    exec(sys.argv[1])  # noqa: S102 (one of the lines above)
    print(json.dumps({"cpu": time.process_time(), "rss": peak_of_this_process() / 1024**2}))


if __name__ == "__main__":
    main()
