"""What the metadata of a dropped file ask for."""

from collections.abc import Mapping
from typing import Any

from kmeans_service import config, json_values
from kmeans_service.errors import InvalidParameter, MalformedRequest, ServiceError, quoted
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.request import parse_recipe
from kmeans_service.tables.dialect import READING, Reading, parse_reading

# People type either; S3 keeps both.
PARAMS = ("model-params", "model_params")
ALIGN_TO = ("align-to", "align_to")
PREPROCESSING, ENGINE = "preprocessing", "engine"
KNOWN = (*PARAMS, *ALIGN_TO, PREPROCESSING, ENGINE, *READING)
SHOWN = 5


def asked_recipe(metadata: Mapping[str, str]) -> Recipe:
    """What is asked of the fit; raises MalformedRequest or InvalidParameter."""
    given = {name.lower(): text for name, text in metadata.items()}
    asked = _one_of(PARAMS, given) | _one_of(ALIGN_TO, given)
    if PREPROCESSING in given:
        asked[PREPROCESSING] = _json(PREPROCESSING, given[PREPROCESSING])
    if ENGINE in given:
        asked[ENGINE] = given[ENGINE]
    return parse_recipe(asked)


def _one_of(names: tuple[str, ...], given: Mapping[str, str]) -> dict[str, Any]:
    """The member that these are names of, if it is there."""
    texts = {name: given[name] for name in names if name in given}
    if len(set(texts.values())) > 1:
        raise MalformedRequest(f"the metadata {' and '.join(texts)} differ; one of them is enough")
    return {name.replace("-", "_"): _json(name, text) for name, text in texts.items()}


def _json(name: str, text: str) -> Any:
    if len(text) > config.MAX_PARAMS_BYTES:
        raise MalformedRequest(f"the metadata {name} is too long")
    return json_values.loads(text, f"the metadata {name}")


def reading_of(metadata: Mapping[str, str]) -> tuple[Reading, ServiceError | None]:
    """How the file is to be read; where that is refused, as it is read without a word, and why."""
    given = {name.lower(): text for name, text in metadata.items()}
    try:
        return parse_reading({name: given[name] for name in READING if name in given}), None
    except InvalidParameter as refusal:
        return Reading(), refusal


def warnings_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence about what is not known, and not refused: programs that copy files leave such."""
    unknown = sorted(name for name in metadata if name.lower() not in KNOWN)
    if not unknown:
        return ()
    shown = ", ".join(map(quoted, unknown[:SHOWN])) + (", …" if len(unknown) > SHOWN else "")
    return (
        f"The metadata {shown} is not known and was left aside; "
        f"the parameters of a fit are read from '{PARAMS[0]}'.",
    )
