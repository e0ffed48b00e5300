"""Runs in the judges' own environment: a CloudFormation template's path as argument, checkov's failures on stdout.

checkov's runner is called instead of its command, which asks its maker's service for guidelines first.
"""

import json
import logging
import sys
from pathlib import Path

from checkov.cloudformation.runner import Runner
from checkov.runner_filter import RunnerFilter

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    report = Runner().run(None, files=[sys.argv[1]], runner_filter=RunnerFilter(framework=["cloudformation"]))
    name = Path(sys.argv[1]).name
    failed = sorted(
        f"{name}: {record.check_id}: {record.resource}: {record.check_name}" for record in report.failed_checks
    )
    parsing = [f"{name}: cannot be parsed" for _ in report.parsing_errors]
    json.dump({"passed": len(report.passed_checks), "findings": failed + parsing}, sys.stdout)
