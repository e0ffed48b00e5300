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
LOAD_TEST = "tests/unit/phases/load_test/test_figures.py"
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
        "    return repeated(lambda: _transaction(writes, token))\n",
        "    return _transaction(writes, token)\n",
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
    "l: the version of the stack is pruned": Fault(
        "phases/release_code/publish.py",
        "if release.is_of_the_stack(version)}",
        "if not version.number}",
        "tests/unit/phases/release_code/test_release_code.py",
    ),
    "ee: the age of a key is that of the secret's last change": Fault(
        "phases/prepare_secret/run.py",
        "age_days(stored.created_at or info.changed_at, request.now)",
        "age_days(info.changed_at, request.now)",
        "tests/unit/phases/prepare_secret/test_prepare_secret.py",
    ),
    "j: an empty header asks for PutObjectTagging": Fault(
        "adapters/artifacts.py",
        'tagging = {"Tagging": urlencode(dict(tags))} if tags else {}',
        'tagging = {"Tagging": urlencode(dict(tags or {}))}',
        "tests/functional/adapters/test_small.py",
    ),
    "r: a period that CloudWatch Logs takes is refused": Fault(
        "domain/config.py", "    2192,\n", "", "tests/unit/domain/test_retention.py"
    ),
    "t: what AWS reports falsely is drift": Fault(
        "phases/check_drift/false_reports.py",
        "    return any(\n",
        "    return False and any(\n",
        "tests/unit/phases/check_drift/test_stack_drift.py",
    ),
    "u: the model's own time counts as the release's": Fault(
        "load/split.py",
        "    _compare(recorder, wire, upstream or 0.0)\n",
        "    _compare(recorder, wire, 0.0)\n",
        "tests/unit/load/test_upstream_time.py",
    ),
    "u: the whole time is judged": Fault(
        "phases/load_test/figures.py",
        'response=_whole(summary, "total") or summary.response,',
        "response=summary.response,",
        LOAD_TEST,
    ),
    "d: a lost notification is not sent again": Fault(
        "phases/configure_monitoring/run.py",
        "    fire.fire(request.names, missing, request.deployment_id, aws)\n    return replace",
        "    return replace",
        MONITORING,
    ),
    "x: recipients get the tests of alarms": Fault(
        "monitoring/apply.py",
        "aws.topics.subscribe(topic, _protocol(recipient), recipient, fire.WITHOUT_TESTS)\n        elif",
        "aws.topics.subscribe(topic, _protocol(recipient), recipient)\n        elif",
        MONITORING,
    ),
    "x: the test queue gets its policy after its creation": Fault(
        "adapters/topics.py",
        'QueueName=queue, tags=dict(tags), Attributes=attributes)[\n            "QueueUrl"\n        ]\n',
        'QueueName=queue, tags=dict(tags))[\n            "QueueUrl"\n        ]\n'
        '        self._session.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=attributes)\n',
        TOPICS,
    ),
    "bb: an answer of API Gateway's counts as the proxy's": Fault(
        "phases/configure_monitoring/correlate.py",
        "    if PROXY_HEADER in reply.headers:\n",
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
    "e: GET on chat completions is expected to be refused": Fault(
        "checks/error_checks.py",
        'http=HttpRequest("GET", "/v1/embeddings"),',
        'http=HttpRequest("GET", CHAT),',
        "tests/judges/test_provider.py",
    ),
    "e: a model that thinks until its tokens are used up fails a check": Fault(
        "checks/error_checks.py",
        'Expect("json.choices.0.finish_reason", "one_of", ENDS)',
        'Expect("json.choices.0.message.content", "present")',
        "tests/functional/phases/test_described_provider.py",
    ),
    "h: a stream has the time of a buffered answer": Fault(
        "domain/config.py",
        'TIME_LIMITS_S = {"stream": 900, "buffered": 29}',
        'TIME_LIMITS_S = {"stream": 29, "buffered": 29}',
        "tests/functional/proxy/doors/test_long_stream.py",
    ),
    "h: an alarm judges how long answers take": Fault(
        "monitoring/alarms.py",
        """        _PROXY,
        {"figure": ("Overhead", "p99")},
""",
        """        _LAMBDA,
        {"figure": ("Duration", "p99")},
""",
        "tests/functional/proxy/doors/test_long_stream.py",
    ),
    "h: an alarm counts executions, of which long streams are many": Fault(
        "domain/config.py",
        "    concurrency: int | None = None\n",
        "    concurrency: int | None = 500\n",
        "tests/unit/monitoring/test_alarms.py",
    ),
    "h: the handoff says nothing of 29 s": Fault(
        "phases/write_handoff/handoff.py",
        '    if mode == "buffered":\n',
        '    if mode == "neither":\n',
        "tests/unit/phases/write_handoff/test_write_handoff.py",
    ),
    "u: the load test judges the upstream's own time": Fault(
        "load/split.py",
        "_compare(recorder, wire, upstream or 0.0)",
        "_compare(recorder, wire, 0.0)",
        "tests/unit/load/test_upstream_time.py",
    ),
    "w: answers without a body are not looked at": Fault(
        "checks/target.py",
        '    return mode == "stream" and not aws.settings.embedded\n',
        "    return False\n",
        "tests/functional/phases/test_described_provider.py",
    ),
    "cc: what is gone by name is left by tag": Fault(
        "phases/clean_up/gone.py",
        "        and _would_be_found(item, names, region, api_ids)\n",
        "        and False\n",
        "tests/unit/phases/clean_up/test_clean_up.py",
    ),
}


# Each starts a pytest of its own, some 5 s of processor time: with all tests one of each of these rows, else on demand.
QUICK_ROWS = ("c", "e", "v")
QUICK = {row: next(name for name in FAULTS if name.startswith(f"{row}:")) for row in QUICK_ROWS}.values()


@pytest.mark.parametrize("name", FAULTS)
def test_the_place_for_a_fault_is_there(name: str) -> None:
    assert (ROOT / ROOMS / FAULTS[name].file).read_text().count(FAULTS[name].sound) == 1, "it has moved"


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in FAULTS]
)
def test_a_fault_that_is_planted_back_is_seen(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    shutil.copytree(ROOT / ROOMS, tmp_path / ROOMS, ignore=shutil.ignore_patterns("__pycache__"))
    for shared in ROOT.iterdir():
        if shared.name not in ("controlplane", ".git"):
            (tmp_path / shared.name).symlink_to(shared)
    file = tmp_path / ROOMS / fault.file
    file.write_text(file.read_text().replace(fault.sound, fault.planted))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--rootdir", str(tmp_path), fault.test]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 1, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "FAILURES" in done.stdout  # an import error ends with another code, too
