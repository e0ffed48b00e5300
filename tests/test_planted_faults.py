"""The mutation table of faults that an emulator forgives and AWS does not: planted back, a test of the suite fails.

Rows of issue 10 whose fault is in code; tests/judges/plants.py holds those in policies, templates and workflows.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = "controlplane/chalicelib"
MONITORING = "tests/unit/phases/configure_monitoring/test_configure_monitoring.py"
TOPICS = "tests/functional/adapters/test_topics.py"


@dataclass(frozen=True)
class Fault:
    """file: below `chalicelib`. sound: replaced once by `planted`. test: a test file that fails then."""

    file: str
    sound: str
    planted: str
    test: str


WRITES = "tests/functional/adapters/test_writes.py"
RECORDS = "tests/functional/adapters/test_records.py"
SIMULATE = "tests/unit/phases/preflight/test_simulate.py"

FAULTS = {
    "b: what the simulator knows no resource for stops the deployment": Fault(
        "phases/preflight/policy_text.py",
        'return missing.action in resourceless() and missing.decision == "implicitDeny"',
        "return False",
        SIMULATE,
    ),
    "b: what is not in the text stops the deployment": Fault(
        "phases/preflight/verdicts.py",
        """ again (docs/permissions.md).",
        blocks=False,
""",
        """ again (docs/permissions.md).",
""",
        SIMULATE,
    ),
    "b: of several resources the first decision counts": Fault(
        "adapters/identity.py",
        "    if not specific:\n",
        "    if specific or not specific:\n",
        "tests/functional/adapters/test_small.py",
    ),
    "c: a question for each statement": Fault(
        "phases/preflight/questions.py",
        "        if group is None:\n",
        "        if group is None or group:\n",
        SIMULATE,
    ),
    "c: answers are not remembered": Fault(
        "phases/preflight/simulate.py",
        "        aws.simulations.remember(survey.fresh)\n",
        "        pass\n",
        SIMULATE,
    ),
    "c: answers are remembered for ever": Fault(
        "phases/preflight/simulate.py",
        " and simulation.until > stamp(request.now)",
        "",
        SIMULATE,
    ),
    "c: being throttled fails the phase": Fault(
        "phases/preflight/simulate.py",
        "    except Throttled:\n        survey.unanswered.append(role)\n        return\n",
        "    except ZeroDivisionError:\n        return\n",
        SIMULATE,
    ),
    "c: throttled calls are repeated for longer than the Lambda lives": Fault(
        "phases/preflight/repeat.py",
        "PATIENCE_S = 25.0",
        "PATIENCE_S = 60.0",
        SIMULATE,
    ),
    "v: a transaction in the way fails a phase": Fault(
        "adapters/writes.py",
        "    return repeated(lambda: _transaction(writes))\n",
        "    return _transaction(writes)\n",
        WRITES,
    ),
    "v: a cancelled transaction is no throttling": Fault(
        "adapters/writes.py",
        'frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})',
        "frozenset({None})",
        WRITES,
    ),
    "v: a write of one item meets a transaction": Fault(
        "adapters/session.py",
        '        "TransactionConflictException",\n',
        "",
        WRITES,
    ),
    "z: the lease is renewed in the environment's record": Fault(
        "adapters/locks.py",
        'return environment_key(environment, "LOCK")',
        "return environment_key(environment)",
        RECORDS,
    ),
    "z: a rollout that an earlier version began loses its lock": Fault(
        "adapters/records.py",
        "        if not adoption:\n",
        "        if adoption or not adoption:\n",
        RECORDS,
    ),
    "z: the record stays in the index": Fault(
        "adapters/transactions.py",
        '        "listed_all": None,\n        "at": None,\n',
        "",
        RECORDS,
    ),
    "d: a lost notification is not sent again": Fault(
        "phases/configure_monitoring/run.py",
        "    fire.fire(request.names, missing, request.deployment_id, aws)\n    return replace",
        "    return replace",
        MONITORING,
    ),
    "x: recipients get the tests of alarms": Fault(
        "monitoring/apply.py",
        "aws.topics.subscribe(topic, _protocol(recipient), recipient, fire.WITHOUT_TESTS)",
        "aws.topics.subscribe(topic, _protocol(recipient), recipient)",
        MONITORING,
    ),
    "x: the test queue gets its policy after its creation": Fault(
        "adapters/topics.py",
        'tags=dict(tags), Attributes=attributes)["QueueUrl"]\n',
        'tags=dict(tags))["QueueUrl"]\n'
        '        call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=attributes)\n',
        TOPICS,
    ),
    "bb: an answer of API Gateway's counts as the proxy's": Fault(
        "phases/configure_monitoring/correlate.py",
        "    if _PROXY_HEADER in reply.headers:\n",
        "    if reply.headers is not None:\n",
        MONITORING,
    ),
    "i: a bake looks as often at its end as at its beginning": Fault(
        "phases/bake/run.py",
        "_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 30.0, 300.0",
        "_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 3.0, 3.0",
        "tests/unit/phases/bake/test_bake.py",
    ),
    "i: steps that outlast the state machine are accepted": Fault(
        "domain/options.py",
        "if total_s > _MOST_BAKE_S:",
        "if total_s > 10 * _MOST_BAKE_S:",
        "tests/unit/domain/test_bake_options.py",
    ),
    "y: an alarm takes two metrics for one": Fault(
        "monitoring/alarms.py",
        '{"figure": ("5XXError", "Average")},',
        '{"requests": ("Count", "Sum"), "errors": ("5XXError", "Sum")},',
        "tests/unit/monitoring/test_alarms.py",
    ),
    "y: percentiles of few samples count": Fault(
        "adapters/alarms.py",
        '"EvaluateLowSampleCountPercentile": "ignore"',
        '"EvaluateLowSampleCountPercentile": "evaluate"',
        "tests/functional/adapters/test_alarms.py",
    ),
    "y: a dashboard for each environment": Fault(
        "domain/names.py",
        '$3 a month."""\n        return OWNER\n',
        '$3 a month."""\n        return f"{OWNER}-{self.environment}"\n',
        MONITORING,
    ),
    "f: the default load is refused in a new account": Fault(
        "load/fit.py",
        "if needed(load) <= unreserved or not _is_default(load):",
        "if needed(load) <= unreserved or _is_default(load):",
        "tests/unit/phases/preflight/test_quotas.py",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_planted_back_is_seen(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    shutil.copytree(ROOT / ROOMS, tmp_path / ROOMS, ignore=shutil.ignore_patterns("__pycache__"))
    for shared in ROOT.iterdir():
        if shared.name not in ("controlplane", ".git"):
            (tmp_path / shared.name).symlink_to(shared)
    file = tmp_path / ROOMS / fault.file
    sound = file.read_text()
    assert sound.count(fault.sound) == 1, f"the place for this fault in {fault.file} has moved"
    file.write_text(sound.replace(fault.sound, fault.planted))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--rootdir", str(tmp_path), fault.test]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 1, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "FAILURES" in done.stdout  # an import error ends with another code, too
