"""What a model is, and what of it is published."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness.api import Client
from harness.system import item, job, overwrite, put
from harness.system import manifest as stored
from kmeans_service.errors import FeatureMismatch, ModelDamaged
from kmeans_service.models import loading, manifest
from kmeans_service.models.columns import Columns
from kmeans_service.models.manifest import Manifest
from kmeans_service.models.model import Model
from kmeans_service.models.predictor import Predictor, Space
from kmeans_service.models.scores import Scores, scores_of
from kmeans_service.recipes.preprocessing import parse_preprocessing
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.transform import learn
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

SCORES = Scores(1.5, 3, (2, 1))
PREFIX = "models/tester/0/fit/1/"


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
    assert np.allclose(read.distances(used), apart, atol=1e-12)
    assert np.array_equal(read.predict(used), apart.argmin(axis=1))
    assert read.score(used) == pytest.approx(-(apart.min(axis=1) ** 2).sum())
    blocks = np.concatenate(list(read.predict_blocks([used[:7], used[7:]])))
    assert np.array_equal(blocks, apart.argmin(axis=1))
    assert read.columns.places(3, None) == (2, 0)
    assert read.columns.places(2, None) == (0, 1)
    assert read.columns.places(4, ("c", "x", "a", "b")) == (0, 2)
    for n_features, names in ((4, None), (3, ("a", "b", "d"))):
        with pytest.raises(FeatureMismatch):
            read.columns.places(n_features, names)


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
