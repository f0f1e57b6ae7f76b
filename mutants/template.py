"""Single edits of template.yaml: those listed here, and one for every value that stands in it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from mutants.tests_of import OF_TEMPLATE
from mutants.tree import Warm, changed, copied

# Nobody is worse off by another one of these.
TEXTS = {"Description", "AlarmDescription", "AssertDescription", "Sid", "PolicyName", "Id", "title"}
# All that look at the template, but for what takes minutes.
LOOKING = [OF_TEMPLATE, "-k", "not lint and not sam_finds"]
# What the SAM transform itself refuses.
SECONDS = 300


@dataclass(frozen=True)
class Edit:
    """One mistake: what it is, and the template with it."""

    name: str
    text: str


# (what is lost, as it stands, as it is put there); each stands once in the template, or first.
LISTED = [
    (
        "jobs are kept for another time than was chosen",
        "        JOB_EXPIRY_DAYS: !Ref JobExpiryDays\n",
        "",
    ),
    ("ten messages at once", "BatchSize: 1 ", "BatchSize: 10 "),
    (
        "one failure fails the batch",
        "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
    ),
    ("a worker lists every key", ", pending/*, results/*]", ', pending/*, results/*, "*"]'),
    ("an upload lists every key", "s3:prefix: [inputs/*]", 's3:prefix: ["*"]'),
    ("versions go after a day", "NoncurrentDays: !Ref JobExpiryDays", "NoncurrentDays: 1"),
    (
        "every call is logged whole",
        "        POWERTOOLS_METRICS_NAMESPACE",
        '        POWERTOOLS_LOGGER_LOG_EVENT: "true"\n        POWERTOOLS_METRICS_NAMESPACE',
    ),
    (
        "metrics of development",
        "        POWERTOOLS_METRICS_NAMESPACE",
        '        POWERTOOLS_DEV: "true"\n        POWERTOOLS_METRICS_NAMESPACE',
    ),
    ("open by default", "    Default: TOKEN\n", "    Default: OPEN\n"),
    (
        "a token table open to owners",
        'dynamodb:LeadingKeys: ["O#*"]',
        'dynamodb:LeadingKeys: ["*"]',
    ),
    ("an authorizer reads jobs", 'dynamodb:LeadingKeys: ["T#*"]', 'dynamodb:LeadingKeys: ["O#*"]'),
    ("conditions that an absent key passes", '"ForAllValues:StringLike"', '"StringLikeIfExists"'),
    ("models from anybody", "Sid: OnlyFitsWriteModels # whatever", "Sid: Nobody # whatever"),
    ("anybody notifies", "StringEquals: { aws:SourceAccount: !Ref AWS::AccountId }", "{}"),
    ("the path in the log", "$context.resourcePath", "$context.path"),
    (
        "the caller's headers in the log",
        '"ip":"$context',
        '"auth":"$context.authorizer.owner","ip":"$context',
    ),
    ("a listing by a read", '"Null": { s3:prefix: "true" }', '"Null": { s3:prefix: "false" }'),
    ("no TLS", 'aws:SecureTransport: "false"', 'aws:SecureTransport: "true"'),
    ("a function of more rights", "Action: s3:GetObjectVersion", 'Action: "s3:GetObject*"'),
    (
        "a managed policy",
        "ManagedPolicyArns: [!Ref LogAndTracePolicy]",
        "ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonS3FullAccess]",
    ),
]


def edits(template: str) -> Iterator[Edit]:
    for name, old, new in LISTED:
        assert old in template, f"{name}: {old!r} is not in the template any more"
        yield Edit(name, template.replace(old, new, 1))
    yield from _of_values(template)


def _of_values(template: str) -> Iterator[Edit]:
    """Another number, the opposite of a truth, another name; and every line's entry left out."""
    root: Any = yaml.compose(template, Loader=yaml.SafeLoader)
    for path, key, value in _entries(root, ()):
        where = ".".join(path)
        if {*path} & TEXTS or path[0] in ("AWSTemplateFormatVersion", "Transform", "Metadata"):
            continue
        if isinstance(value, yaml.ScalarNode):
            changed_value = _another(value)
            begin, end = value.start_mark.index, value.end_mark.index
            if changed_value is not None:
                text = template[:begin] + changed_value + template[end:]
                yield Edit(f"{where}: {template[begin:end]} → {changed_value}", text)
        line = template.rfind("\n", 0, key.start_mark.index) + 1 if key is not None else None
        if line is not None and not template[line : key.start_mark.index].strip():
            end = template.find("\n", value.end_mark.index - 1) + 1
            if "\n" not in template[line : end - 1]:
                yield Edit(f"{where}: left out", template[:line] + template[end:])


def _entries(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Path, key (None in a list) and value of everything; what an anchor repeats comes once."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key, value
            yield from _entries(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*path, str(number)), None, value
            yield from _entries(value, (*path, str(number)))


def _another(value: Any) -> str | None:
    text = value.value
    if text in ("true", "false"):
        return f'"{text}"'.replace(text, "false" if text == "true" else "true").strip('"')
    if text.isdecimal():
        return str(int(text) + 1)
    if value.tag in ("!Ref", "!GetAtt", "!Sub") or "\n" in text or not text:
        return None
    return f"{text}x" if value.style is None else None


def _drawn(template: str, sample: int | None, seed: int) -> list[Edit]:
    found = list(edits(template))
    listed, others = found[: len(LISTED)], found[len(LISTED) :]
    if sample is not None:
        others = random.Random(seed).sample(others, min(sample, len(others)))  # noqa: S311
    return listed + others


def try_all(only: str, sample: int | None, seed: int) -> list[tuple[Edit, str]]:
    """The list and every other edit, or so many of them, and how its run ended."""
    tree = copied()
    path = tree / "template.yaml"
    found = []
    seen: set[str] = set()
    warm = Warm()
    try:
        for edit in _drawn(path.read_text(), sample, seed):
            if only not in edit.name or edit.text in seen:
                continue
            seen.add(edit.text)
            with changed(path, edit.text):
                outcome = warm.run(LOOKING, SECONDS)["outcome"]
            print(f"{outcome:9} {edit.name}", flush=True)
            found.append((edit, outcome))
    finally:
        warm.close()
    return found
