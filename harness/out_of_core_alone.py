"""A program: the fit of a run.json out of core, in one process, as the worker computes it.

out_of_core_alone.py URI: counts the file, fits it, stores labels and model; prints the scores.
"""

import hashlib
import json
import sys
import tempfile

from distributed import job
from kmeans_service import aws
from kmeans_service.fitting import out_of_core
from kmeans_service.fitting.computation import store_fit
from kmeans_service.fitting.data import PlannedData
from kmeans_service.lifecycle.job import Input
from kmeans_service.media_types import CSV
from kmeans_service.recipes.settled import settled
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import ByteStream, HashingStream
from kmeans_service.tables.columns import read_blocks
from kmeans_service.tables.table import read_table


def main(uri: str) -> None:
    run = job.load(uri)
    assert isinstance(run, job.Fit)
    job.set_environment(run)
    [file] = run.files

    def source() -> ByteStream:
        body: ByteStream = aws.s3().get_object(Bucket=run.bucket, Key=file.key)["Body"]
        return HashingStream(body)  # as a file is checked while it is read

    table = read_table(source)
    recipe, _ = settled(table, run.recipe)
    given = Input(file.key, None, "", file.size, table.n_rows, len(table.columns), table.names)
    data = PlannedData(given, recipe, table)
    blocks = read_blocks(source, data.dialect, data.layout)
    with tempfile.TemporaryFile() as rows_file, tempfile.TemporaryFile() as labels:
        rows = out_of_core.spill(blocks, data.n_read, rows_file)
        found = out_of_core.fit(rows, recipe, labels, lambda _progress: None)
        labels.seek(0)
        digest = hashlib.file_digest(labels, "sha256").hexdigest()
        labels.seek(0)
        key = f"{run.prefix}labels.csv"
        data_bucket().upload(key, labels, CSV)
        store_fit(run.prefix, run.fit_id, data, found, StoredObject(key, digest, 0))
    print(json.dumps(found.scores.as_json()))


main(sys.argv[1])
