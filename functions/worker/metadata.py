"""What the metadata of a dropped file ask for."""

from collections.abc import Mapping

from kmeans_service import config
from kmeans_service.errors import MalformedRequest, quoted
from kmeans_service.http import json_body
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import Recipe

# People type either; S3 keeps both.
PARAMS = ("model-params", "model_params")
SHOWN = 5


def recipe_of(metadata: Mapping[str, str]) -> Recipe:
    """What is asked of the fit; raises MalformedRequest or InvalidParameter."""
    given = {name.lower(): text for name, text in metadata.items()}
    texts = {name: given[name] for name in PARAMS if name in given}
    if len(set(texts.values())) > 1:
        raise MalformedRequest(f"the metadata {' and '.join(texts)} differ; one of them is enough")
    name, text = next(iter(texts.items()), (PARAMS[0], "{}"))
    if len(text) > config.MAX_PARAMS_BYTES:
        raise MalformedRequest(f"the metadata {name} is too long")
    return parse_params(json_body.loads(text, f"the metadata {name}"))


def warnings_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence about what is not known, and not refused: programs that copy files leave such."""
    unknown = sorted(name for name in metadata if name.lower() not in PARAMS)
    if not unknown:
        return ()
    shown = ", ".join(map(quoted, unknown[:SHOWN])) + (", …" if len(unknown) > SHOWN else "")
    return (
        f"The metadata {shown} is not known and was left aside; "
        f"the parameters of a fit are read from '{PARAMS[0]}'.",
    )
