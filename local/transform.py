"""The template as CloudFormation gets it: after the SAM transform, with the contract in its place.

`python -m local.transform` prints it without the contract, for linters that do not know what SAM
makes of it: none of their checks looks into the contract, and they take most of a minute for it.
"""

import json
import logging
import sys
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.contract import GATEWAY
from local.settings import PROJECT, REGION
from local.template import load_yaml

Template = dict[str, Any]


def source() -> Template:
    """The template as it is written."""
    loaded: Template = yaml_parse((PROJECT / "template.yaml").read_text())
    return loaded


def contract() -> Template:
    loaded: Template = load_yaml(GATEWAY)
    return loaded


def transformed(layer: str = "s3://artifacts/layer") -> Template:
    template = source()
    # Of two transforms, the other one is CloudFormation's own and changes nothing here.
    template["Transform"] = "AWS::Serverless-2016-10-31"
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/functions"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = layer
    template["Resources"]["Api"]["Properties"]["DefinitionBody"] = contract()
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    made: Template = translator.translate(template, parameter_values={})
    return made


if __name__ == "__main__":
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of itself
    template = transformed()
    del template["Resources"]["Api"]["Properties"]["Body"]
    json.dump(template, sys.stdout, indent=1)
