"""Every way through the state machines, and where the design says that it ends (docs: statemachine/README.md)."""

from __future__ import annotations

from collections.abc import Mapping

from judges.paths import DONE, FAILED, IN_PROGRESS, Path

FIRST = ("AcquireLock", "Preflight")
BUILD = ("PrepareSecret", "PackageArtifact", "DeployStack", "ConfigureMonitoring", "ReleaseCode")
TESTS = ("ValidateEndpoints", "ValidateErrors", "LoadTest")
USERS = ("ShiftTraffic", "ApplySettings", "Bake", "VerifyIdempotency", "WriteHandoff", "CleanUp")
LOOK = ("SkipUnchanged",)
ROLL = (*BUILD, *TESTS, *USERS)
DEPLOY = (*FIRST, *LOOK, *ROLL)
END = ("RecordOutcome",)
BACK = ("RollBack", "RestoreSettings", "RecordOutcome")
NOWHERE = ("RollBack", "RecordOutcome")  # a rollback that failed: there is no release whose settings to restore
# Until here nothing that users or alarms feel has changed: a failure needs no rollback.
NOTHING_TO_GO_BACK_FROM = ("AcquireLock", "Preflight", "SkipUnchanged")
_LOAD = {"status": "IN_PROGRESS", "poll_after_s": 1, "summary": ""}
_APPROVED = {"result": {"approved": True}}


def _fails_in(task: str) -> Path:
    calls = DEPLOY[: DEPLOY.index(task) + 1]
    end = END if task in NOTHING_TO_GO_BACK_FROM else BACK
    return Path((*calls, *end), succeeds=False, tasks={task: [FAILED]})


def _waits_in(task: str) -> Path:
    return Path((*DEPLOY, *END), tasks={task: [IN_PROGRESS, IN_PROGRESS, DONE]})


def _load(kind: str, workers: int, worker: str, **tasks: list[Mapping[str, object]]) -> Path:
    begun = {"result": {**_LOAD, "map": kind, "workers": list(range(workers))}}
    calls = (*FIRST, *LOOK, *BUILD, *TESTS, worker, "LoadTest", *USERS, *END)
    return Path(calls, tasks={"LoadTest": [begun, DONE], **tasks})


def _skips_to(task: str) -> Path:
    answer = {"result": {**DONE["result"], "next": task}}
    return Path((*FIRST, *LOOK, *_from(task), *END), tasks={"SkipUnchanged": [answer]})


def _from(task: str) -> tuple[str, ...]:
    return ROLL[ROLL.index(task) :]


ROLLOUT: Mapping[str, Path] = {
    "deploy": Path((*DEPLOY, *END)),
    "promote": Path((*DEPLOY, *END), start={"action": "promote"}),
    "promote fails in LoadTest": Path(
        (*DEPLOY[:11], *BACK), succeeds=False, start={"action": "promote"}, tasks={"LoadTest": [FAILED]}
    ),
    "deploy with a long bake": Path((*DEPLOY, *END), tasks={"Bake": [*[IN_PROGRESS] * 40, DONE]}),
    **{f"deploy waits in {task}": _waits_in(task) for task in DEPLOY if task not in ("AcquireLock", *LOOK)},
    **{f"deploy fails in {task}": _fails_in(task) for task in DEPLOY},
    **{f"deploy skips what comes before {task}": _skips_to(task) for task in ROLL},
    "deploy skips what comes before the approval": Path(
        (*FIRST, *LOOK, "AwaitApproval", *USERS, *END),
        start={"approval": "required"},
        tasks={
            "SkipUnchanged": [{"result": {**DONE["result"], "next": "AwaitApproval"}}],
            "AwaitApproval": [_APPROVED],
        },
    ),
    "deploy, and the rollback fails too": Path(
        (*DEPLOY[:11], *NOWHERE), succeeds=False, tasks={"LoadTest": [FAILED], "RollBack": [FAILED]}
    ),
    "a rollback is tried again whatever it died of": Path(
        (*DEPLOY[:11], *BACK),
        succeeds=False,
        tasks={"LoadTest": [FAILED], "RollBack": [{"error": "Runtime.ExitError"}, {"error": "Lambda.Unknown"}, DONE]},
    ),
    "a throttled phase is called again": Path(
        (*DEPLOY, *END), tasks={"DeployStack": [{"error": "Throttled"}, {"error": "Throttled"}, DONE]}
    ),
    "a killed phase is called once more": Path(
        (*DEPLOY, *END), tasks={"ReleaseCode": [{"error": "Runtime.ExitError"}, DONE]}
    ),
    "a phase that is killed twice fails": Path(
        (*DEPLOY[:8], *BACK), succeeds=False, tasks={"ReleaseCode": [{"error": "Sandbox.Timedout"}]}
    ),
    "the outcome is recorded whatever it takes": Path(
        (*DEPLOY, *END), tasks={"RecordOutcome": [*[{"error": "Lambda.Unknown"}] * 6, DONE]}
    ),
    "load of one worker": Path((*DEPLOY, *END), tasks={"LoadTest": [IN_PROGRESS, DONE]}),
    "load of a few workers": _load("INLINE", 3, "LoadWorker"),
    "load of many workers": _load("DISTRIBUTED", 50, "LoadWorkerOfMany"),
    "all workers are lost": _load(
        "DISTRIBUTED", 50, "LoadWorkerOfMany", LoadWorkerOfMany=[{"error": "X", "cause": "y" * 32_000}]
    ),
    "all workers of a few are lost": _load(
        "INLINE", 3, "LoadWorker", LoadWorker=[{"error": "X", "cause": "y" * 32_000}]
    ),
    "approval": Path(
        (*FIRST, *LOOK, *BUILD, *TESTS, "AwaitApproval", *USERS, *END),
        start={"approval": "required"},
        tasks={"AwaitApproval": [_APPROVED]},
    ),
    "approval that nobody gives": Path(
        (*FIRST, *LOOK, *BUILD, *TESTS, "AwaitApproval", *BACK),
        succeeds=False,
        start={"approval": "required"},
        tasks={"AwaitApproval": [{"error": "States.Timeout"}]},
    ),
    "abort while a phase runs": Path(
        (*DEPLOY[:14], *BACK), succeeds=False, tasks={"Bake": [IN_PROGRESS, {"error": "Aborted", "cause": "by me"}]}
    ),
    "abort after the last phase": Path(
        (*DEPLOY, *END, *BACK), succeeds=False, tasks={"RecordOutcome": [IN_PROGRESS, DONE]}
    ),
    "settle": Path(BACK, succeeds=False, start={"settle": "yes"}),
    "plan": Path((*FIRST, "MakePlan", *END), start={"action": "plan", "plan": "yes"}),
    "plan that waits": Path(
        (*FIRST, "MakePlan", *END), start={"action": "plan", "plan": "yes"}, tasks={"MakePlan": [IN_PROGRESS, DONE]}
    ),
    "plan that cannot be made": Path(
        (*FIRST, "MakePlan", *END),
        succeeds=False,
        start={"action": "plan", "plan": "yes"},
        tasks={"MakePlan": [FAILED]},
    ),
    "deploy of an approved plan": Path((*FIRST, "MakePlan", *LOOK, *ROLL, *END), start={"plan": "yes"}),
    "revalidate": Path((*FIRST, "CheckDrift", *TESTS, *END), start={"action": "revalidate"}),
    "revalidate searches for drift": Path(
        (*FIRST, "CheckDrift", *TESTS, *END), start={"action": "revalidate"}, tasks={"CheckDrift": [IN_PROGRESS, DONE]}
    ),
    "revalidate finds drift": Path(
        (*FIRST, "CheckDrift", *END), succeeds=False, start={"action": "revalidate"}, tasks={"CheckDrift": [FAILED]}
    ),
    "revalidate finds a broken endpoint": Path(
        (*FIRST, "CheckDrift", "ValidateEndpoints", *BACK),
        succeeds=False,
        start={"action": "revalidate"},
        tasks={"ValidateEndpoints": [FAILED]},
    ),
    "rollback": Path(("AcquireLock", "RollBack", "RestoreSettings", *END), start={"action": "rollback"}),
    "rollback that waits": Path(
        ("AcquireLock", "RollBack", "RestoreSettings", *END),
        start={"action": "rollback"},
        tasks={"RollBack": [IN_PROGRESS, DONE], "RestoreSettings": [IN_PROGRESS, DONE]},
    ),
    "rollback with nowhere to go": Path(
        ("AcquireLock", *NOWHERE), succeeds=False, start={"action": "rollback"}, tasks={"RollBack": [FAILED]}
    ),
    "rollback whose settings stay": Path(
        ("AcquireLock", "RollBack", "RestoreSettings", *END),
        succeeds=False,
        start={"action": "rollback"},
        tasks={"RestoreSettings": [FAILED]},
    ),
    "cleanup": Path(
        ("AcquireLock", "CleanUp", *END), start={"action": "cleanup"}, tasks={"CleanUp": [IN_PROGRESS, DONE]}
    ),
    "cleanup that fails": Path(
        ("AcquireLock", "CleanUp", *END), succeeds=False, start={"action": "cleanup"}, tasks={"CleanUp": [FAILED]}
    ),
    "drill": Path(
        ("AcquireLock", "RunDrill", *END), start={"action": "drill"}, tasks={"RunDrill": [IN_PROGRESS, DONE]}
    ),
    "drill that fails": Path(
        ("AcquireLock", "RunDrill", *END), succeeds=False, start={"action": "drill"}, tasks={"RunDrill": [FAILED]}
    ),
}

_LISTED = {"night": "2026-11-26", "bucket": "b", "key": "k"}


def _night(count: int, complete: bool = True, **tasks: list[Mapping[str, object]]) -> Path:
    listed = {**_LISTED, "count": count, "items": [f"env{index}" for index in range(count)]}
    each = ("RevalidateEnvironment",) if count else ()
    return Path(
        ("ListEnvironments", *each, "SummarizeNight"),
        complete,
        start={"scheduled_at": "2026-11-26T03:17:00Z"},
        tasks={
            "ListEnvironments": [{"result": listed}],
            "SummarizeNight": [{"result": {"complete": complete}}],
            **tasks,
        },
    )


NIGHT: Mapping[str, Path] = {
    "a night without environments": _night(0),
    "a night with some": _night(3),
    "a night that waits for its checks": _night(2, RevalidateEnvironment=[IN_PROGRESS, IN_PROGRESS, DONE]),
    "a night of which something is unknown": _night(2, complete=False),
    "a night whose task is throttled": _night(1, RevalidateEnvironment=[{"error": "Throttled"}, DONE]),
}
