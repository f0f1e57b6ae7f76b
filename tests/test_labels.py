import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kmeans_service.labels import ROWS_PER_CHUNK, Labels, csv_chunks, from_csv, to_csv, to_json

label_arrays = st.sampled_from([np.int32, np.int64, np.uint8]).flatmap(
    lambda dtype: npst.arrays(dtype, st.integers(0, 50), elements=st.integers(0, 255))
)


def saved(labels: Labels) -> bytes:
    file = io.BytesIO()
    np.savetxt(file, labels)
    return file.getvalue()


def test_a_label_is_written_as_savetxt_writes_it() -> None:
    assert to_csv(np.array([1, 0])) == b"1.000000000000000000e+00\n0.000000000000000000e+00\n"


@settings(deadline=None)
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


def test_json_lists_integers() -> None:
    assert to_json(np.array([1, 0, 12])) == '{"labels": [1, 0, 12]}'
    assert to_json(np.array([], dtype=np.int32)) == '{"labels": []}'


@given(label_arrays)
def test_the_csv_reads_back_as_the_same_labels(labels: Labels) -> None:
    np.testing.assert_array_equal(from_csv(to_csv(labels)), labels)


@pytest.mark.parametrize("label", [0, 9, 10, 99, 100, 999, 1000, 99_999])
def test_labels_of_any_number_of_digits_read_back(label: int) -> None:
    assert from_csv(saved(np.array([label]))).tolist() == [label]


@pytest.mark.parametrize(
    "body",
    [
        b"1.000000000000000000e+00",
        b"1\n",
        b"1.500000000000000000e+00\n",
        b"1.000000000000000000e-01\n",
        b"-1.00000000000000000e+00\n",
        b"1.000000000000000000e+99\n",
        b"\xff" * 25,
        b"x" * 25,
        b"1.000000000000000000e+05\n",
    ],
)
def test_what_was_not_written_here_is_not_read(body: bytes) -> None:
    with pytest.raises(ValueError, match="rows"):
        from_csv(body)
