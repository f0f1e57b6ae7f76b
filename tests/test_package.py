"""What `make build` made, as Lambda would get it: how large it is, and that it works alone."""

import json
import marshal
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from harness import PROJECT
from harness.template.reading import functions
from harness.template.sam import build, environment

LAMBDA_LIMIT = 250 * 1024**2  # bytes unzipped, code and layers
FIT_LIMIT, PREDICT_LIMIT, UPLOAD_LIMIT = 190_000_000, 80_000_000, 20_000_000
CONVERT_LIMIT = 60_000_000
SITE_PACKAGES = "python/lib/python3.13/site-packages"

FIT_AND_DESCRIBE = """
import json, pickle, sys
import joblib, numpy, pybase64, scipy, sklearn
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

X = numpy.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=float)
answers = {}
for init in ("k-means++", "random"):
    for algorithm in ("lloyd", "elkan"):
        model = KMeans(2, init=init, algorithm=algorithm, random_state=0).fit(X)
        again = pickle.loads(pickle.dumps(model))
        answers[f"{init} {algorithm}"] = [model.inertia_, again.inertia_]
scores = silhouette_score(X, model.labels_), calinski_harabasz_score(X, model.labels_)
davies_bouldin_score(X, model.labels_)
print(json.dumps({"answers": answers, "from": sklearn.__file__, "version": sklearn.__version__}))
"""


def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml_parse((build() / "template.yaml").read_text())
    return loaded


def layers_of(function: str) -> list[str]:
    properties = template()["Resources"][function]["Properties"]
    layers = properties.get("Layers", [])
    return [layer["Ref"] for layer in layers if "Ref" in layer]  # others are made on a condition


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def deployed_size(function: str) -> int:
    return sum(size(build() / part) for part in [function, *layers_of(function)])


def run_with(folders: list[Path], program: str) -> str:
    """Runs the program with nothing on the path but the standard library and these folders."""
    paths = [str(folder) for folder in folders]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path += {paths}\n{program}"],
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("function", "limit"),
    [
        ("FitFunction", FIT_LIMIT),
        ("FitWorkerFunction", FIT_LIMIT),
        ("PredictFunction", PREDICT_LIMIT),
        ("ExplainFunction", FIT_LIMIT),
        ("ConvertFunction", CONVERT_LIMIT),
        ("UploadFunction", UPLOAD_LIMIT),
        ("JobsFunction", UPLOAD_LIMIT),
        ("DocsFunction", UPLOAD_LIMIT),
    ],
)
def test_code_and_layers_stay_under_their_limit(function: str, limit: int) -> None:
    assert limit < 0.75 * LAMBDA_LIMIT
    assert 0 < deployed_size(function) <= limit


def test_the_layers_alone_fit_predict_and_score() -> None:
    layers = [build() / name / SITE_PACKAGES for name in layers_of("FitFunction")]
    found = json.loads(run_with(layers, FIT_AND_DESCRIBE))
    assert found["from"].startswith(str(build()))
    assert found["version"] in (PROJECT / "layers/sklearn/requirements.txt").read_text()
    for inertias in found["answers"].values():
        assert inertias == pytest.approx([16.0, 16.0])


def test_predict_needs_numpy_only() -> None:
    layers = [build() / name / SITE_PACKAGES for name in layers_of("PredictFunction")]
    assert not any((layer / "sklearn").exists() or (layer / "scipy").exists() for layer in layers)
    run_with(layers, "import numpy, pybase64")


def test_predict_reads_numbers_with_what_its_layer_compiled() -> None:
    layers = [build() / name / SITE_PACKAGES for name in layers_of("PredictFunction")]
    folders = [build() / "PredictFunction", *layers]
    program = (
        "from kmeans_service.tables import csv_numbers, dataset\n"
        "print(dataset.parse_csv(b'1.5,2\\n3,-4e1').X.tolist(), csv_numbers.library()._name)"
    )
    rows, library = run_with(folders, program).rsplit(maxsplit=1)
    assert json.loads(rows) == [[1.5, 2], [3, -40]]
    assert Path(library) in {layer / "csv_numbers.so" for layer in layers}


@pytest.mark.parametrize("function", ["UploadFunction", "JobsFunction"])
def test_a_table_is_read_by_what_its_layer_compiled_and_without_numpy(function: str) -> None:
    [layer] = [build() / name / SITE_PACKAGES for name in layers_of(function)]
    program = (
        "import io\n"
        "from kmeans_service.tables import library, table\n"
        "found = table.read_table(lambda: io.BytesIO(b'name;size\\na;1,5\\nb;2\\n'))\n"
        "print(found.n_rows, found.columns[1].mean, 'numpy' in sys.modules, library.path())"
    )
    n_rows, mean, loaded, path = run_with([build() / function, layer], program).split()
    assert (int(n_rows), float(mean), loaded) == (2, 1.75, "False")
    assert Path(path) == layer / "csv_numbers.so"
    assert [each.name for each in layer.rglob("*")] == ["csv_numbers.so"]


def test_convert_reads_other_formats_with_its_layers_and_without_numpy() -> None:
    layers = [build() / name / SITE_PACKAGES for name in layers_of("ConvertFunction")]
    program = (
        "import pathlib, tempfile\n"
        "from convert.converters import convert\n"
        "from kmeans_service.tables.dialect import Reading\n"
        "import arro3.io\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    target = pathlib.Path(folder, 'target')\n"
        f"    book = pathlib.Path({str(PROJECT / 'tests/cases/book.xlsx')!r})\n"
        "    convert(book, target, 'excel', Reading(), 10**7)\n"
        "    print(target.read_bytes().count(b'\\n') > 1, 'numpy' in sys.modules)"
    )
    folders = [build() / "ConvertFunction", *layers]
    assert run_with(folders, program).split() == ["True", "False"]


def test_fit_computes_with_what_its_layer_compiled() -> None:
    layers = [build() / name / SITE_PACKAGES for name in layers_of("FitFunction")]
    program = (
        "import numpy\n"
        "from kmeans_service.fitting.kernel.library import library\n"
        "from kmeans_service.fitting.kernel.lloyd import lloyd\n"
        "from kmeans_service.fitting.kernel.rows import Rows\n"
        "found = lloyd(Rows(numpy.array([[-5.0, 0], [-5, 2], [5, 0], [5, -2]])), 2)\n"
        "print(found.inertia, 'sklearn' in sys.modules, library()._name)"
    )
    inertia, loaded, path = run_with([build() / "FitFunction", *layers], program).split()
    assert (float(inertia), loaded) == (4, "False")
    names = ("kmeans.so", "kmeans_avx512.so")
    assert Path(path) in {site_packages / name for site_packages in layers for name in names}


@pytest.mark.parametrize(
    ("built", "at"),
    [
        *((layer, "/opt") for layer in ("NumpyLayer", "SklearnLayer", "FormatsLayer")),
        *((function, "/var/task") for function in functions()),
    ],
)
def test_every_module_comes_with_bytecode_that_lambda_takes_without_a_look(
    built: str, at: str
) -> None:
    unchecked = 0b01  # PEP 552: hash-based, and not checked against the source
    sources = list((build() / built).rglob("*.py"))
    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.exists(), source
        content = compiled.read_bytes()
        assert struct.unpack("<I", content[4:8])[0] == unchecked, source
        where = Path(at) / source.relative_to(build() / built)
        assert marshal.loads(content[16:]).co_filename == str(where)


@pytest.mark.parametrize("layer", ["NumpyLayer", "SklearnLayer", "FormatsLayer"])
def test_layers_hold_nothing_that_only_tests_and_compilers_read(layer: str) -> None:
    for path in (build() / layer).rglob("*"):
        assert path.name not in ("tests", "include", "RECORD"), path
        assert path.suffix not in (".pyi", ".pxd", ".pyx", ".h", ".c"), path


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("compiler") / "kept")


def test_the_same_lock_makes_the_same_layer_in_any_folder(tmp_path: Path, compiler: str) -> None:
    built = build() / "NumpyLayer"
    subprocess.run(
        ["make", "--quiet", "build-NumpyLayer", f"ARTIFACTS_DIR={tmp_path / 'again'}"],
        cwd=PROJECT / "layers",
        env=environment(COMPILER=compiler),
        check=True,
    )
    assert contents(tmp_path / "again") == contents(built)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("layer", "made"), [("ReaderLayer", "csv_numbers.so"), ("NumpyLayer", "kmeans.so")]
)
def test_a_layer_for_the_other_architecture_is_built_here_too(
    tmp_path: Path, compiler: str, layer: str, made: str
) -> None:
    subprocess.run(
        [
            *("make", "--quiet", f"build-{layer}", "ARCHITECTURE=arm64"),
            f"ARTIFACTS_DIR={tmp_path}",
        ],
        cwd=PROJECT / "layers",
        env=environment(COMPILER=compiler),
        check=True,
    )
    machine_of_arm64 = 183  # ELF's number for AArch64
    libraries = list(tmp_path.rglob("*.so"))
    assert made in {library.name for library in libraries}
    for library in libraries:
        assert struct.unpack("<H", library.read_bytes()[18:20])[0] == machine_of_arm64, library


def test_the_functions_own_packages_are_the_locked_ones() -> None:
    locked = re.findall(
        r"^([\w.-]+)==(\S+)", (PROJECT / "functions/requirements.txt").read_text(), re.MULTILINE
    )
    installed = {path.name for path in (build() / "UploadFunction").glob("*.dist-info")}
    assert {
        f"{name.replace('-', '_')}-{version}.dist-info" for name, version in locked
    } == installed
