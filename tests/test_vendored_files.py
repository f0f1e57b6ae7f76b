"""What is npm's in the repository: the files of pinned packages, and none other."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ci import vendored
from ci.vendored import Package
from docs.app import ASSETS
from harness import contract
from harness.api import Client
from harness.fake_aws.environment import BUCKET
from harness.fake_aws.state import forget_clients
from kmeans_service import config, storage


def contents(folder: Path) -> dict[str, bytes]:
    """By their paths in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


FILES = contents(vendored.SWAGGER_UI.folder)
LICENCES = {"Apache-2.0": "Apache License", "BSD-3-Clause": "BSD 3-Clause License"}


@pytest.mark.parametrize("package", vendored.PACKAGES, ids=lambda package: package.name)
def test_the_files_are_those_of_the_pinned_package(package: Package) -> None:
    files = contents(package.folder)
    told = files[vendored.MANIFEST].decode()
    assert told == package.manifest({name: files[name] for name in package.files}), (
        "run `make vendored`"
    )
    assert set(files) == {*package.files, vendored.MANIFEST}
    assert LICENCES[package.licence] in files["LICENSE"].decode()


def test_swagger_ui_comes_with_its_notice() -> None:
    assert {"NOTICE", *ASSETS} <= set(FILES)


def test_a_package_with_another_digest_is_not_taken() -> None:
    for package in vendored.PACKAGES:
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package.integrity)
        assert vendored.integrity_of(b"another package") != package.integrity
    # RFC 6234's test vector of SHA-512("abc"), in base64.
    assert vendored.integrity_of(b"abc") == (
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
    )


def test_what_cleans_the_contracts_html_has_no_hole_that_is_known() -> None:
    """DOMPurify 3.2.6 has some; Powertools 3.37 brings Swagger UI 5.31.0 with it."""
    bundle = FILES["swagger-ui-bundle.js"].decode()
    [version] = re.findall(r'DOMPurify\.version="(\d+)\.(\d+)\.(\d+)"', bundle)
    assert tuple(map(int, version)) > (3, 2, 6)


def test_the_service_answers_these_files_and_not_those_of_powertools(client: Client) -> None:
    for name, media_type in ASSETS.items():
        answer = client.get(f"/kmeans/ui/{name}")
        assert answer.body == FILES[name]
        assert answer.headers["Content-Type"] == media_type
    for name in ("LICENSE", "manifest.json", "../openapi.json", "swagger-ui.css.map"):
        assert client.get(f"/kmeans/ui/{name}").status == 404


@pytest.mark.parametrize(
    ("region", "origin"),
    [
        ("us-east-1", "https://s3.amazonaws.com"),
        ("eu-central-1", "https://s3.eu-central-1.amazonaws.com"),
        ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"),
        ("the emulator's", "http://127.0.0.1:14566"),
    ],
)
def test_the_pages_policy_names_where_presigned_urls_lead_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, region: str, origin: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if origin.startswith("http:"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", origin)
    else:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    config.settings.cache_clear()
    storage.data_bucket.cache_clear()
    forget_clients()
    page = Client(lambda _method, path: contract.handler_of(path)).get("/kmeans/ui")
    policy = page.headers["Content-Security-Policy"]
    [allowed] = re.findall(r"connect-src ([^;]+);", policy)
    assert allowed == f"'self' {origin}/{BUCKET} {origin}/{BUCKET}/"
    urls = [
        storage.data_bucket().presigned("GET", "a/b.csv", "attachment", "text/csv"),
        storage.data_bucket().presigned("HEAD", "a/b.csv", "attachment", "text/csv"),
        storage.data_bucket().presigned_post("a/b.csv", 10)["url"] + "/",
    ]
    for url in urls:
        assert url.startswith(f"{origin}/{BUCKET}/")
        assert urlsplit(url).netloc == urlsplit(origin).netloc
    forget_clients()
