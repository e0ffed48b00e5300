"""Every way through the state machines, and where the design says that it ends (docs: statemachine/README.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
UPGRADE = ("PlanUpgrade", "StageUpgrade", "TestUpgrade", "PromoteUpgrade", "VerifyUpgrade")
_FINISHED = {"result": {**DONE["result"], "next": "RecordOutcome"}}
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


def _upgrade(steps: Sequence[str], **tasks: Sequence[Mapping[str, object]]) -> Path:
    return Path(("AcquireLock", *steps, *END), start={"action": "upgrade"}, tasks=tasks)


def _reverted(task: str, **tasks: Sequence[Mapping[str, object]]) -> Path:
    calls = ("AcquireLock", *UPGRADE[: UPGRADE.index(task) + 1], "RevertUpgrade", *END)
    return Path(calls, succeeds=False, start={"action": "upgrade"}, tasks={task: [FAILED], **tasks})


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
    "the self-test of an upgrade": Path((), start={"self_test": "yes"}),
    "upgrade": _upgrade(UPGRADE),
    **{f"upgrade waits in {task}": _upgrade(UPGRADE, **{task: [IN_PROGRESS, DONE]}) for task in UPGRADE},
    **{f"upgrade fails in {task}": _reverted(task) for task in UPGRADE},
    "upgrade to what serves": _upgrade(UPGRADE[:1], PlanUpgrade=[_FINISHED]),
    "upgrade whose way back waits": _reverted("TestUpgrade", RevertUpgrade=[IN_PROGRESS, DONE]),
    "upgrade whose way back fails": _reverted("TestUpgrade", RevertUpgrade=[FAILED]),
    "upgrade whose way back is throttled": _reverted("TestUpgrade", RevertUpgrade=[{"error": "Throttled"}, DONE]),
    "upgrade that is settled": Path(("RevertUpgrade", *END), False, {"action": "upgrade", "settle": "yes"}),
    "upgrade that had passed and is settled": Path(
        ("RevertUpgrade", *END), start={"action": "upgrade", "settle": "yes"}, tasks={"RevertUpgrade": [_FINISHED]}
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

_MEMBERS = [{"environment": "canary", "wave": 1}]
_FLEET: Mapping[str, object] = {
    "id": "f-1", "wave": 1, "members": [], "settle": "no", "at_once": 2, "wait_s": 0, "succeeded": False,
}  # fmt: skip


def _next(step: str, **other: object) -> Mapping[str, object]:
    members = _MEMBERS if step.startswith("ROLL") else []
    return {"result": {**_FLEET, "next": step, "members": members, **other}}


_GOOD, _BAD = _next("END", succeeded=True), _next("END")


def _fleet(*answers: Mapping[str, object], good: bool = True, **other: object) -> Path:
    """The answers of AdvanceFleet, one a call; each ROLL runs its members."""
    calls: list[str] = []
    for answer in answers:
        step = answer["result"]["next"]  # type: ignore[index]
        calls += ["AdvanceFleet"]
        calls += {"ROLL": ["RollMember"], "ROLL_BACK": ["RollMember"], "APPROVE": ["AwaitWaveApproval"]}.get(step, [])
    shown = [name for index, name in enumerate(calls) if index == 0 or calls[index - 1] != name]
    tasks = {"AdvanceFleet": list(answers), **other}
    return Path(tuple(shown), good, start={"id": "f-1"}, tasks=tasks)  # type: ignore[arg-type]


FLEET: Mapping[str, Path] = {
    "a fleet in two waves": _fleet(_next("ROLL"), _next("ROLL"), _GOOD),
    "a fleet whose member takes its time": _fleet(_next("ROLL"), _GOOD, RollMember=[IN_PROGRESS, IN_PROGRESS, DONE]),
    "a fleet of many members": _fleet(
        _next("ROLL", members=[{"environment": f"e{number}", "wave": 1} for number in range(50)]), _GOOD
    ),
    "a fleet that goes back": _fleet(_next("ROLL"), _next("ROLL_BACK"), _BAD, good=False),
    "a fleet that soaks": _fleet(_next("ROLL"), _next("SOAK", wait_s=5), _next("ROLL"), _GOOD),
    "a fleet that is approved": _fleet(
        _next("ROLL"), _next("APPROVE"), _next("ROLL"), _GOOD, AwaitWaveApproval=[{"result": {}}]
    ),
    "a fleet that nobody approves": _fleet(
        _next("ROLL"), _next("APPROVE"), _BAD, good=False, AwaitWaveApproval=[{"error": "States.Timeout"}]
    ),
    "a fleet that fails": _fleet(_next("ROLL"), _BAD, good=False),
    "a fleet whose task is lost again and again": _fleet(
        _next("ROLL"), _BAD, good=False, RollMember=[{"error": "Lambda.Unknown"}]
    ),
    "a fleet whose step is throttled": _fleet(
        _next("ROLL"), _GOOD, RollMember=[{"error": "Throttled"}, {"error": "Runtime.ExitError"}, DONE]
    ),
    "a fleet that is settled": Path(
        ("AdvanceFleet", "RollMember", "AdvanceFleet"),
        succeeds=False,
        start={"id": "f-1", "settle": "yes"},
        tasks={"AdvanceFleet": [_next("ROLL"), _BAD]},
    ),
}
