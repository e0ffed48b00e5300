"""Facts about the names and tokens that CloudFormation gets."""

from __future__ import annotations

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.stack import inputs, look

from tests.fakes import FakeAws
from tests.fakes.requests import request


def test_the_name_of_a_change_set_is_cut_to_128_characters() -> None:
    assert inputs.change_set_name(request(deployment_id="d" * 112), "deploy") == "proxyctl-deploy-" + "d" * 112
    assert inputs.change_set_name(request(deployment_id="d" * 113), "deploy") == "proxyctl-deploy-" + "d" * 112


def test_a_token_is_cut_to_128_characters_at_its_beginning() -> None:
    assert inputs.token(request(deployment_id="d" * 200), "execute") == "d" * 120 + "-execute"


def test_a_configured_response_mode_overrides_the_control_planes() -> None:
    fake = FakeAws()
    assert inputs.mode(request(config=Config(response_mode="buffered")), fake.as_aws()) == "buffered"
    assert inputs.mode(request(), fake.as_aws()) == fake.settings.response_mode


def test_a_stack_that_was_deleted_meanwhile_is_an_error_with_a_remedy() -> None:
    with pytest.raises(PhaseFailed) as caught:
        look.must_find("proxyctl-env-dev", FakeAws().as_aws())
    assert (caught.value.code, bool(caught.value.remedy)) == ("StackVanished", True)
