"""Runs in the judges' own environment: a SAM template on stdin, what SAM makes of it on stdout (JSON)."""

import json
import os
import sys

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

if __name__ == "__main__":
    os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"  # the translator looks for a region in a session of its own, too
    template = json.load(sys.stdin)
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-central-1"))
    json.dump(translator.translate(template, {}), sys.stdout)
