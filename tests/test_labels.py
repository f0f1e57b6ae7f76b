import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kmeans_service.arrays import Labels
from kmeans_service.models.labels_from_text import csv_to_json
from kmeans_service.models.labels_to_text import ROWS_PER_CHUNK, csv_chunks, to_csv, to_json

label_arrays = st.sampled_from([np.int32, np.int64, np.uint8]).flatmap(
    lambda dtype: npst.arrays(dtype, st.integers(0, 50), elements=st.integers(0, 255))
)


def saved(labels: Labels) -> bytes:
    file = io.BytesIO()
    np.savetxt(file, labels)
    return file.getvalue()


def test_a_label_is_written_as_savetxt_writes_it() -> None:
    assert to_csv(np.array([1, 0])) == b"1.000000000000000000e+00\n0.000000000000000000e+00\n"


@given(label_arrays)
def test_the_csv_is_savetxts_byte_for_byte(labels: Labels) -> None:
    assert to_csv(labels) == saved(labels)


def test_the_csv_is_savetxts_beyond_one_chunk_and_up_to_a_thousand_clusters() -> None:
    labels = np.random.default_rng(0).integers(0, 1000, 2 * ROWS_PER_CHUNK + 7, dtype=np.int32)
    assert to_csv(labels) == saved(labels)


@given(label_arrays, st.integers(1, 60))
def test_chunks_are_whole_rows_and_join_to_the_whole(labels: Labels, rows: int) -> None:
    chunks = list(csv_chunks(labels, rows))
    assert b"".join(chunks) == to_csv(labels)
    assert all(len(chunk) == 25 * rows for chunk in chunks[:-1])


@pytest.mark.parametrize("labels", [[], [0], [1, 0, 12], [999, 1000]])
def test_json_is_an_array_of_integers(labels: list[int]) -> None:
    array = np.array(labels, dtype=np.int32)
    assert to_json(array) == f"[{','.join(map(str, labels))}]"


@given(label_arrays)
def test_the_json_of_labels_is_that_of_their_csv(labels: Labels) -> None:
    assert to_json(labels) == csv_to_json(bytes(to_csv(labels)))
    assert json.loads(to_json(labels)) == labels.tolist()


def test_the_json_goes_on_beyond_one_chunk() -> None:
    labels = np.random.default_rng(0).integers(0, 1000, 2 * ROWS_PER_CHUNK + 7, dtype=np.int32)
    assert json.loads(to_json(labels)) == labels.tolist()
