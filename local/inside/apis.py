"""An API answers at its own address, whoever calls: MiniStack looks for it in the caller's account only."""

from typing import Any


def install(apigateway_v1: Any) -> None:
    """Patch MiniStack's module `services.apigateway_v1`. IDs of APIs are unique across accounts."""
    in_callers_account = apigateway_v1.find_api_scope

    def find(api_id: str) -> tuple[str, str] | None:
        """(account, region) of the API, None without one."""
        everywhere = (scope for (*scope, each), _ in apigateway_v1._rest_apis.all_items() if each == api_id)
        return in_callers_account(api_id) or next(((account, region) for account, region in everywhere), None)

    apigateway_v1.find_api_scope = find
