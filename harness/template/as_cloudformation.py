"""The template as CloudFormation makes it for given parameters: its language extensions, then SAM.

Run by the SAM CLI's Python, which has a port of the extensions: template on standard input as
{"template": …, "parameters": [{name: value}, …]}, a list of what comes of it on standard output.
"""

import copy
import json
import logging
import sys
from typing import Any

from samcli.lib.cfn_language_extensions import (  # type: ignore[import-not-found]
    PseudoParameterValues,
    process_template,
)
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

Template = dict[str, Any]
PSEUDO = PseudoParameterValues(
    region="eu-central-1",
    account_id="123456789012",
    stack_name="kmeans",
    stack_id="arn:aws:cloudformation:eu-central-1:123456789012:stack/kmeans/0b1a-11",
    partition="aws",
    url_suffix="amazonaws.com",
)


class _Session:
    """What the translator asks of boto3: where it is."""

    region_name = PSEUDO.region


def made(template: Template, parameters: dict[str, str]) -> Template:
    resolved = process_template(template, parameters, PSEUDO)
    resolved["Transform"] = "AWS::Serverless-2016-10-31"
    translator = Translator({}, Parser(), boto_session=_Session())
    translated: Template = translator.translate(resolved, parameter_values=parameters)
    return translated


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    given = json.load(sys.stdin)
    template = given["template"]
    json.dump([made(copy.deepcopy(template), chosen) for chosen in given["parameters"]], sys.stdout)
