"""Models: what is published, and read back by any later version."""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness.api import Client
from harness.system import item, items, job, keys, overwrite, put, sweep, work_off
from harness.system import manifest as stored
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.errors import FeatureMismatch, ModelDamaged
from kmeans_service.lifecycle import fits, leftovers
from kmeans_service.models import loading, manifest
from kmeans_service.models.columns import Columns
from kmeans_service.models.manifest import Manifest
from kmeans_service.models.model import Model
from kmeans_service.models.predictor import Predictor, Space
from kmeans_service.models.scores import Scores, scores_of
from kmeans_service.recipes.preprocessing import parse_preprocessing
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.transform import learn
from kmeans_service.storage import DataBucket, data_bucket, sha256_of
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import clock

# Written by the last version that had no manifests: names of columns in the file; names and initial
# centers too long for the item; numbers far from zero.
LEFT: dict[str, Any] = json.loads(
    (Path(__file__).parent / "files" / "models_before_manifests.json").read_text()
)
OLD = ("0", "1", "2")
SCORES = Scores(1.5, 3, (2, 1))
PREFIX = "models/tester/0/fit/1/"


@pytest.fixture
def before(client: Client, aws: Any) -> Client:
    for found in LEFT["items"]:
        late = {"expires_at": {"N": str(clock.seconds(10**6))}} if "expires_at" in found else {}
        aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=found | late)
    for key, body in LEFT["objects"].items():
        put(key, base64.b64decode(body))
    return client


def file_of(job_id: str) -> bytes:
    return data_bucket().get(StoredObject(**only_object(item(int(job_id))["input"])))


def only_object(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("key", "sha256", "size")}


@pytest.mark.parametrize("job_id", OLD)
@pytest.mark.parametrize("path", ["/scores", "/labels", "/centers"])
def test_what_an_older_version_stored_is_answered_as_it_was(
    before: Client, job_id: str, path: str
) -> None:
    answer = before.get(f"/kmeans/jobs/{job_id}{path}", Accept="application/json")
    assert answer.text == LEFT["answers"][job_id][path]


@pytest.mark.parametrize("job_id", OLD)
def test_a_job_of_an_older_version_is_shown_as_it_was(before: Client, job_id: str) -> None:
    was = json.loads(LEFT["answers"][job_id][""])
    shown = before.get(f"/kmeans/jobs/{job_id}").json()
    assert {k: v for k, v in shown.items() if k != "expires_at"} == {
        k: v for k, v in was.items() if k != "expires_at"
    }


@pytest.mark.parametrize("job_id", OLD)
def test_a_model_of_an_older_version_predicts_as_it_did(before: Client, job_id: str) -> None:
    was, points = LEFT["answers"][job_id], file_of(job_id)
    assert before.predict(points, int(job_id)).text == was["predict"]
    assert before.predict(points, int(job_id), path="/kmeans/transform").text == was["transform"]
    score = before.predict(points, int(job_id), path="/kmeans/score", Accept="application/json")
    assert score.text == was["score"]
    pickle = before.get(f"/kmeans/jobs/{job_id}/model")
    assert pickle.headers["X-Model-Sha256"] == was["model"]


def test_columns_of_an_older_version_are_checked_by_their_names(before: Client) -> None:
    for job_id in ("0", "1"):
        header, _, rows = file_of(job_id).partition(b"\n")
        first, _, others = header.partition(b",")
        refused = before.predict(b"x" + first + b"," + others + b"\n" + rows, int(job_id))
        assert refused.status == 422
        assert refused.json()["column"] == 1


@pytest.mark.parametrize("job_id", OLD)
def test_a_fit_of_an_older_version_is_answered_without_a_new_one(
    before: Client, job_id: str
) -> None:
    params = json.loads(LEFT["answers"][job_id][""])["model_params"]
    if job_id == "1":
        params["init"] = json.loads(before.get("/kmeans/jobs/1").text)["model_params"]["init"]
    assert before.fit(int(job_id), params).status == 200
    assert item(int(job_id))["fence"] == 1


def test_a_replaced_model_of_an_older_version_is_counted_out(before: Client) -> None:
    assert before.fit(1).status == 200
    assert job(1).published.before is None
    assert before.call("DELETE", "/kmeans/jobs/1").status == 204


# --- the manifest ------------------------------------------------------------------


def written(model: Model, scores: Scores = SCORES) -> StoredObject:
    found, _ = manifest.store(Manifest("fit", Recipe(n_clusters=3), model, scores, {}), PREFIX)
    return found


def two_centers(**more: Any) -> Model:
    centers = np.array([[-1.0, 0.0], [1.0, 0.1]])
    return Model(Columns(2, **more), Predictor(Space(np.array([5.0, 0.3]), 0.5), centers))


@pytest.mark.usefixtures("aws")
def test_a_manifest_is_read_back_to_the_last_bit() -> None:
    found = manifest.load(written(two_centers(feature_names=("a", "b"))))
    assert (found.fit_id, found.recipe, found.scores) == ("fit", Recipe(n_clusters=3), SCORES)
    assert found.model.columns == Columns(2, ("a", "b"))
    assert found.model.predictor.centers.tolist() == [[-1.0, 0.0], [1.0, 0.1]]
    assert found.model.predictor.space.shift.tolist() == [5.0, 0.3]
    assert found.model.predict(np.array([[3.0, 0.3], [7.0, 0.5]])).tolist() == [0, 1]
    assert found.model.score(np.array([[3.0, 0.3]])) == 0


@pytest.mark.usefixtures("aws")
def test_a_model_takes_its_columns_and_transforms_them_before_it_predicts() -> None:
    """Columns 3 and 1 of three, each less its mean and by its standard deviation."""
    raw = np.random.default_rng(1).normal(3, [1, 20, 0.1], size=(300, 3))
    used = raw[:, [2, 0]]
    asked = parse_preprocessing({"scaling": "standard"})
    transform = learn(lambda: iter([used]), [False, False], [], asked)
    centers = transform.apply(used)[:4]
    space = Space(np.zeros(2), 1.0)
    model = Model(Columns(3, ("a", "b", "c"), used=(2, 0)), Predictor(space, centers), transform)
    read = manifest.load(written(model)).model
    scaled = make_pipeline(StandardScaler()).fit_transform(used)
    apart = np.linalg.norm(scaled[:, np.newaxis] - scaled[np.newaxis, :4], axis=2)
    assert np.allclose(read.distances(raw), apart, atol=1e-12)
    assert np.array_equal(read.predict(raw), apart.argmin(axis=1))
    assert read.score(raw) == pytest.approx(-(apart.min(axis=1) ** 2).sum())
    blocks = np.concatenate(list(read.predict_blocks([raw[:7], raw[7:]])))
    assert np.array_equal(blocks, apart.argmin(axis=1))
    read.check(3, ("a", "b", "c"))
    with pytest.raises(FeatureMismatch):
        read.check(2, None)


def test_the_features_of_a_model_are_its_files_and_not_its_centers(client: Client) -> None:
    client.upload(b"a,b\n1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n")
    client.fit(0)
    assert loading.model_of(job().published).columns == Columns(2, ("a", "b"))
    assert client.predict(b"1,2,3\n").json()["expected"] == 2


@pytest.mark.usefixtures("aws")
def test_members_of_a_manifest_may_be_added_and_a_newer_form_is_refused() -> None:
    document = json.loads(data_bucket().get(written(two_centers())))
    more = json.dumps(document | {"clusters": [{"number": 7}]}).encode()
    added = data_bucket().put(f"{PREFIX}more.json", more, "application/json")
    assert manifest.load(added).model.n_clusters == 2
    newer = json.dumps(document | {"version": 2}).encode()
    refused = data_bucket().put(f"{PREFIX}newer.json", newer, "application/json")
    with pytest.raises(ModelDamaged, match="newer version"):
        manifest.load(refused)


def test_large_centers_lie_beside_the_manifest_and_are_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "INLINE_NUMBERS", 3)
    client.upload()
    labels = client.fit(0).labels()
    published = job().published
    assert published.arrays in published.objects
    assert client.predict(b"1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n").labels() == labels
    loading.forget()
    assert published.arrays is not None
    put(published.arrays.key, b"anything")
    assert client.predict().status == 410


def test_what_is_published_is_the_manifest(client: Client) -> None:
    client.upload()
    client.fit(0)
    document = json.loads(data_bucket().get(stored()))
    assert document["fit_id"] == item()["fit_id"]
    assert document["recipe"]["random_state"] == 0
    assert document["scores"] == client.get("/kmeans/jobs/0/scores").json()
    other = json.dumps(document | {"scores": {}}).encode()
    overwrite(item(), model=item()["model"])
    put(stored().key, other)
    loading.forget()
    assert client.predict().status == 410


def test_scores_are_read_as_older_versions_wrote_them() -> None:
    assert scores_of({"inertia": 1.0, "n_iter": 2, "cluster_sizes": [1, 2]}).as_json() == {
        "cluster_sizes": [1, 2],
        "inertia": 1.0,
        "n_iter": 2,
    }
    full = Scores(1.0, 2, (1, 2), "in_memory", 3.0, 4.0, 0.5, 3, ("Mind.",))
    assert scores_of(full.as_json()) == full
    assert list(full.as_json()) == sorted(full.as_json())
    with pytest.raises(TypeError, match="inertia"):
        scores_of({"n_iter": 2, "cluster_sizes": []})


# --- the pickle --------------------------------------------------------------------


def counted() -> int:
    [counters] = items(prefix="META")
    return int(counters["stored_bytes"])


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    assert client.fit(0).status == 200
    return client


def test_the_pickle_is_made_at_its_first_download_noted_and_counted(fitted: Client) -> None:
    assert job().published.pickle is None
    before = counted()
    first = fitted.get("/kmeans/jobs/0/model")
    pickle = job().published.pickle
    assert pickle is not None
    assert first.headers["X-Model-Sha256"] == pickle.sha256 == sha256_of(first.body)
    assert "scikit-learn=" in first.headers["X-Library-Versions"]
    assert pickle.key.startswith(job().fit_prefix)
    assert counted() == job().stored_bytes == before + len(first.body)
    again = fitted.get("/kmeans/jobs/0/model", **{"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert fitted.get("/kmeans/jobs/0/model").body == first.body
    assert len(keys(job().fit_prefix)) == 4
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), keys()) == (0, [])


def test_of_pickles_that_are_asked_for_at_once_one_is_noted(fitted: Client) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: fitted.get("/kmeans/jobs/0/model"), range(5)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert counted() == job().stored_bytes
    assert len(keys(job().fit_prefix)) == 4


def test_a_pickle_that_is_made_while_another_fit_runs_goes_with_its_model(
    clock: Clock, fitted: Client
) -> None:
    fitted.fit(0, {"n_clusters": 3}, Prefer="respond-async")
    claimed = fits.claim(job())
    assert fitted.get("/kmeans/jobs/0/model").status == 200
    assert job().published.pickle is None
    fits.release(claimed, spent=0)
    assert work_off() == 0
    clock.pass_by(config.PRESIGNED_SECONDS + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert counted() == job().stored_bytes
    assert len(keys("models/")) == 3


def test_a_pickle_of_a_queued_fits_model_is_counted_out_when_it_is_replaced(
    clock: Clock, fitted: Client
) -> None:
    fitted.fit(0, {"n_clusters": 3}, Prefer="respond-async")
    assert fitted.get("/kmeans/jobs/0/model").status == 200
    assert job().published.pickle is not None
    assert work_off() == 0
    clock.pass_by(config.PRESIGNED_SECONDS + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert counted() == job().stored_bytes


def test_a_pickle_of_a_job_that_is_deleted_meanwhile_is_not_left_behind(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DataBucket.put

    def put_and_delete(*arguments: Any) -> StoredObject:
        made = real(*arguments)
        monkeypatch.setattr(DataBucket, "put", real)
        assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
        real(*arguments)
        return made

    monkeypatch.setattr(DataBucket, "put", put_and_delete)
    assert fitted.get("/kmeans/jobs/0/model").status == 410
    assert keys() == []


def test_a_fit_that_the_kernel_computes_imports_no_scikit_learn() -> None:
    program = (
        "import sys\n"
        "import numpy as np\n"
        "from kmeans_service.fitting import clustering, pickles\n"
        "from kmeans_service.recipes.params import parse_params\n"
        "clustering.fit(np.arange(12.0).reshape(6, 2), parse_params({'n_clusters': 2}))\n"
        "print(sorted({'sklearn', 'scipy', 'joblib'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(config.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
