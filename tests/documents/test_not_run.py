"""What no test can run is looked up instead, word by word: the command has what the page gives."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import xform_name

from harness import PROJECT, contract
from harness.documents import not_run, pages
from harness.template.reading import source

LINES = [
    (str(page.relative_to(PROJECT)), line.strip())
    for page in pages()
    for block, _ in not_run(page.read_text())
    for line in block.replace("\\\n", " ").splitlines()
]
FILES_BY_S3 = {"cp", "ls"}  # of the AWS CLI's own, which no model describes
GENERAL = {"--query", "--output", "--region"}  # its options of every operation


def commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a line: what stands in $( ), and between pipes."""
    if whole := re.fullmatch(r"(?:export )?\w+=\$\((.*)\)", line):
        line = whole[1]
    inner = re.findall(r"\$\(([^()]*)\)", line)
    for text in (*inner, re.sub(r"\$\([^()]*\)", "RESULT", line)):
        words: list[str] = []
        for word in [*shlex.split(text, comments=True), "|"]:
            if word in ("|", "&&", ";") or word.startswith(">"):
                yield words
                words = []
            elif words or not re.match(r"\w+=|(export|eval)$", word):
                words.append(word)


ALL = [(page, words) for page, line in LINES for words in commands(line) if words]


def of(*programs: str) -> Any:
    found = [(page, words) for page, words in ALL if words[0] in programs]
    assert found
    return pytest.mark.parametrize("words", [words for _, words in found], ids=" ".join)


def test_every_program_is_one_that_is_looked_up() -> None:
    known = {"make", "aws", "curl", "kmeans", "pip", "RESULT", "output", "call", "echo", "grep"}
    known |= {".venv/bin/python", ".venv-sam/bin/sam"}
    assert {words[0] for _, words in ALL} - known == set()


@of("make")
def test_make_takes_the_target_its_variables_and_parameters(words: list[str]) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = [word for word in words[1:] if re.fullmatch(r"[a-z-]+", word) and word != "-s"]
    assert len(targets) == 1
    assert re.search(rf"^{targets[0]}:", makefile, re.M)
    for name, _, value in (word.partition("=") for word in words[1:] if "=" in word):
        assert re.search(rf"\b{name}\b", makefile), name
        if name == "PARAMETERS":
            asked = {part.partition("=")[0] for part in shlex.split(value)}
            assert asked <= source()["Parameters"].keys()


@of("aws")
def test_the_aws_cli_has_the_operation_and_its_options(words: list[str]) -> None:
    service, operation, *rest = words[1:]
    if service == "s3api":
        service = "s3"
    elif service == "s3":
        assert operation in FILES_BY_S3
        return
    model = operation_model(service, operation)
    options = {f"--{xform_name(member, '-')}" for member in model.input_shape.members}
    given = {word for word in rest if word.startswith("--")}
    assert given <= options | GENERAL
    required = {f"--{xform_name(member, '-')}" for member in model.input_shape.required_members}
    assert required <= given


@cache
def operation_model(service: str, operation: str) -> Any:
    client: Any = boto3.client(service, region_name="eu-central-1")  # type: ignore[call-overload]
    name = client.meta.method_to_api_mapping[xform_name(operation.replace("-", "_"))]
    return client.meta.service_model.operation_model(name)


@of("curl", "call")
def test_an_address_is_one_of_the_service(words: list[str]) -> None:
    [address] = [word for word in words if "/kmeans" in word]
    path = "/kmeans" + address.partition("/kmeans")[2].partition("?")[0]
    assert contract.template_of(re.sub(r"\$\w+", "0", path)) != contract.UNKNOWN


@of("kmeans")
def test_the_command_takes_the_words(words: list[str]) -> None:
    from kmeans_client.command.cli import cli

    with cli.make_context("kmeans", words[1:]) as context:
        name, command, rest = cli.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command
        command.make_context(name, list(rest), parent=context).close()
