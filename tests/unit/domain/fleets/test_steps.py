"""What a fleet deployment does next: waves one after the other, nothing after a failure, and always an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalicelib.domain.fleets.model import (
    FleetDeployment,
    FleetMember,
    FleetState,
    FleetWave,
    Gate,
    MemberStatus,
    Stop,
    Undoing,
)
from chalicelib.domain.fleets.steps import Next, Step, next_step, outcome_of, soak_pause_s
from chalicelib.domain.model import Action, DeploymentStatus
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 2, tzinfo=UTC)
WAVES = (("canary",), ("eu", "us"), ("rest",))
P, R, S, F = MemberStatus.PENDING, MemberStatus.RUNNING, MemberStatus.SUCCEEDED, MemberStatus.FAILED
KILLED = Stop("ExecutionStopped", "It was killed", "", "sweep")


def state(*statuses: MemberStatus, waves: tuple[tuple[str, ...], ...] = WAVES, **other: Any) -> FleetState:
    """Members in these states, the rest PENDING; a wave whose members have ended has passed a moment ago."""
    names = [(number, name) for number, wave in enumerate(waves, 1) for name in wave]
    filled = [*statuses, *[P] * (len(names) - len(statuses))]
    members = [
        FleetMember(name, number, status, f"d-{name}", summary=f"{name} broke" if status is F else "")
        for (number, name), status in zip(names, filled, strict=True)
    ]
    recorded = []
    for number, wave in enumerate(waves, 1):
        own = [member.status for member in members if member.wave == number]
        ended = all(status in (S, F) for status in own)
        recorded.append(FleetWave(number, len(wave), own.count(F), NOW.isoformat() if ended else ""))
    given_ = {"id": "f-1", "fleet": "all", "action": Action.DEPLOY, "status": DeploymentStatus.RUNNING}
    return FleetState(FleetDeployment(**given_ | {"created_at": ""} | other), recorded, members)


def names(step: Step) -> list[str]:
    return [member.environment for member in step.members]


def following(now: FleetState, after_s: float = 0) -> Step:
    return next_step(now, NOW + timedelta(seconds=after_s))


@pytest.mark.parametrize(
    ("statuses", "wave", "members"),
    [
        ((), 1, ["canary"]),
        ((R,), 1, ["canary"]),
        ((S,), 2, ["eu", "us"]),
        ((S, S, R), 2, ["us"]),
        ((S, S, S), 3, ["rest"]),
    ],
)
def test_a_wave_begins_when_the_one_before_has_passed(
    statuses: tuple[MemberStatus, ...], wave: int, members: list[str]
) -> None:
    step = following(state(*statuses))
    assert (step.kind, step.wave, names(step)) == (Next.ROLL, wave, members)


def test_after_the_last_wave_it_ends_well() -> None:
    ended = state(S, S, S, S)
    assert following(ended).kind is Next.END
    outcome = outcome_of(ended)
    assert (outcome.status, outcome.error) == (DeploymentStatus.SUCCEEDED, None)
    assert outcome.summary == "4 environments in 3 waves"


def test_a_failed_canary_ends_it_and_no_later_wave_begins() -> None:
    broken = state(F)
    assert following(broken).kind is Next.END
    outcome = outcome_of(broken)
    assert outcome.status is DeploymentStatus.FAILED
    assert "Wave 1 of 3 stopped the fleet, 1 of 1 environment failed: canary: canary broke" in outcome.summary
    assert "Not begun: 3 environments" in outcome.summary


@pytest.mark.parametrize(
    ("on_failure", "expected"), [("roll_back", ["us", "canary"]), ("roll_back_wave", ["us"]), ("keep", [])]
)
def test_what_goes_back_with_a_failed_wave(on_failure: str, expected: list[str]) -> None:
    step = following(state(S, F, S, on_failure=on_failure))
    assert names(step) == expected
    assert step.kind is (Next.ROLL_BACK if expected else Next.END)


def test_members_that_still_run_are_waited_for_before_anything_goes_back() -> None:
    step = following(state(S, F, R))
    assert (step.kind, names(step)) == (Next.ROLL, ["us"])


def test_an_abort_keeps_what_has_passed_unless_it_says_otherwise() -> None:
    kept = Stop("Aborted", "Aborted by me", "", "me", keeps=True)
    assert following(state(S, S, stop=kept)).kind is Next.END
    step = following(state(S, S, R, stop=replace(kept, keeps=False)))
    assert (step.kind, step.wave, names(step)) == (Next.ROLL, 2, ["us"])
    assert names(following(state(S, S, F, stop=replace(kept, keeps=False)))) == ["eu", "canary"]
    assert outcome_of(state(S, S, stop=kept)).status is DeploymentStatus.ABORTED


def test_a_kill_in_the_second_wave_waits_for_what_runs_there() -> None:
    step = following(state(S, R, P, stop=KILLED))
    assert (step.kind, step.wave, names(step)) == (Next.ROLL, 2, ["eu"])


def test_what_went_back_makes_it_rolled_back_and_what_could_not_makes_it_failed() -> None:
    broken = state(S, F, S)
    back = replace(broken, members=[replace(m, undone=Undoing.DONE) if m.status is S else m for m in broken.members])
    assert outcome_of(back).status is DeploymentStatus.ROLLED_BACK
    assert "Rolled back: canary, us" in outcome_of(back).summary
    stuck = replace(back, members=[replace(back.members[0], undone=Undoing.FAILED), *back.members[1:]])
    assert outcome_of(stuck).status is DeploymentStatus.FAILED
    assert "Could not be rolled back: canary" in outcome_of(stuck).summary


@pytest.mark.parametrize(("share", "passes"), [(0.0, False), (0.49, False), (0.5, True)])
def test_a_tolerated_share_of_failures_lets_the_next_wave_begin(share: float, passes: bool) -> None:
    step = following(state(S, S, F, gate=Gate(tolerated_failures=share)))
    assert (step.kind is Next.ROLL and step.wave == 3) == passes


def test_what_was_tolerated_is_named_at_the_end() -> None:
    done = state(S, S, F, S, gate=Gate(tolerated_failures=0.5))
    assert outcome_of(done).summary == "3 environments in 3 waves; tolerated: us failed"


def test_a_soak_ends_to_the_second_and_there_is_none_after_the_last_wave() -> None:
    soaking = state(S, gate=Gate(soak_s=60))
    assert (following(soaking).kind, following(soaking).wave) == (Next.SOAK, 1)
    assert following(soaking, 59.5).kind is Next.SOAK
    assert following(soaking, 60).kind is Next.ROLL
    assert following(state(S, S, S, S, gate=Gate(soak_s=60))).kind is Next.END


def test_a_gate_that_was_passed_is_not_asked_again() -> None:
    assert following(state(S, S, R, gate=Gate(soak_s=60, approval="required"))).kind is Next.ROLL


def test_an_approval_follows_the_soak() -> None:
    gated = state(S, gate=Gate(soak_s=60, approval="required"))
    assert following(gated, 59).kind is Next.SOAK
    assert (following(gated, 60).kind, following(gated, 60).wave) == (Next.APPROVE, 1)
    approved = replace(gated, waves=[replace(gated.waves[0], approved_by="me"), *gated.waves[1:]])
    assert names(following(approved, 60)) == ["eu", "us"]


@given(st.integers(1, 86_400))
def test_the_looks_of_a_soak_are_few_and_none_is_late(soak_s: int) -> None:
    left, looks = soak_s, 0
    while left > 0:
        pause = soak_pause_s(left)
        assert 1 <= pause <= max(left, 1)
        left, looks = left - pause, looks + 1
    assert looks <= 450  # of 25,000 events, nine each


@given(
    st.lists(st.lists(st.sampled_from([S, F]), min_size=1, max_size=4), min_size=1, max_size=5),
    st.sampled_from(["roll_back", "roll_back_wave", "keep"]),
    st.sampled_from([0.0, 0.3, 0.5]),
    st.booleans(),
)
def test_whatever_the_members_do_it_ends_and_nothing_begins_after_a_failed_wave(
    script: list[list[MemberStatus]], on_failure: str, share: float, back_fails: bool
) -> None:
    waves = tuple(tuple(f"e{wave}-{place}" for place in range(len(plan))) for wave, plan in enumerate(script))
    outcomes = {name: plan[place] for wave, plan in zip(waves, script, strict=True) for place, name in enumerate(wave)}
    now = state(waves=waves, on_failure=on_failure, gate=Gate(tolerated_failures=share))
    rolled: list[int] = []
    for _ in range(3 * len(waves) + 3):
        step = following(now)
        if step.kind is Next.END:
            break
        undone = Undoing.FAILED if back_fails else Undoing.DONE
        changed = {
            member.environment: replace(member, status=outcomes[member.environment])
            if step.kind is Next.ROLL
            else replace(member, undone=undone)
            for member in step.members
        }
        rolled += [step.wave] if step.kind is Next.ROLL else []
        members = [changed.get(member.environment, member) for member in now.members]
        counted = [
            replace(wave, failed=sum(m.status is F for m in members if m.wave == wave.number)) for wave in now.waves
        ]
        now = replace(now, members=members, waves=counted)
    else:
        pytest.fail("it did not end")
    failed = next((wave.number for wave in now.waves if not wave.tolerates(now.deployment.gate)), None)
    assert rolled == list(range(1, (failed or len(waves)) + 1))
    untouched = [member for member in now.members if failed and member.wave > failed]
    assert all(member.status is P and member.undone is Undoing.NOT_ASKED for member in untouched)
    assert (outcome_of(now).status is DeploymentStatus.SUCCEEDED) == (failed is None)
