"""Links to the AWS console: one page for each part of an environment that people look at."""

from __future__ import annotations

from urllib.parse import quote

from chalicelib.domain.names import Names

_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def console_links(names: Names, region: str, partition: str) -> dict[str, str]:
    """URL by name. The pages need a browser that is signed in to the account. partition: `aws`, `aws-cn`, …"""
    host = _CONSOLES.get(partition, "console.aws.amazon.com")
    base = f"https://{region}.{host}"
    # The console takes log group names escaped twice, with $25 for the percent sign of the second time.
    group = quote(quote(names.log_group, safe=""), safe="").replace("%25", "$25")
    return {
        "dashboard": f"{base}/cloudwatch/home?region={region}#dashboards:name={names.dashboard}",
        "alarms": f"{base}/cloudwatch/home?region={region}#alarmsV2:?search={names.alarm('')}",
        "logs": f"{base}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}",
        "stack": f"{base}/cloudformation/home?region={region}#/stacks?filteringText={names.stack}",
        "function": f"{base}/lambda/home?region={region}#/functions/{names.function}",
    }
