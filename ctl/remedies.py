"""Remedies of the API in the words of this command line: flags and commands instead of requests and their fields."""

import re

# The flag of each field of the request that has one; every other field is set with --set.
_FLAGS = {
    "options.force": "--force",
    "options.reason": "--reason",
    "options.heal": "--heal",
    "options.remove_secret": "--remove-secret",
    "options.rollback_to": "--to",
    "options.expected_plan": "--expected-plan",
    "options.approval": "--approval",
    'options.if_busy = "wait"': "--wait",
    "options.if_busy": "--wait",
}

# (pattern of the API's words, words of the command line), in this order: the longer pattern first.
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"\(?\bPOST /deployments with action \"?(\w+)\"?\)?", r"`proxyctl \1 ENVIRONMENT`"),
    (r"\bPOST a deployment with action (\w+)", r"Run `proxyctl \1 ENVIRONMENT`"),
    (r"\bPOST /deployments/(\S+?)/(abort|approve|resume)\b", r"`proxyctl \2 \1`"),
    (r"\bPOST /deployments\b", "`proxyctl deploy ENVIRONMENT`"),
    (r"\bPOST /fleets/(\S+?)/deployments\b", r"`proxyctl fleet deploy \1`"),
    (r"\bGET /fleets/(\S+?)/deployments/(\{?[\w-]+\}?)", r"`proxyctl fleet status \1 \2`"),
    (r"\bGET /fleets/(\S+?)/deployments lists those that exist\.", r"`proxyctl fleet status \1` shows the last one."),
    (r"\bGET /fleets\b", "`proxyctl fleet list`"),
    (r"\bPOST /environments/(\S+?)/secret/rollback\b", r"`proxyctl secret rollback \1`"),
    (r"\bGET /environments/(\S+?)/secret/history\b", r"`proxyctl secret history \1`"),
    (r"\bGET /environments/(\S+?)/secret\b", r"`proxyctl secret show \1`"),
    (r"\b(?:PUT|PATCH) /environments/(\S+?)/secret\b", r"`proxyctl secret set \1`"),
    (r"\bGET /environments/(\{?[\w-]+\}?)", r"`proxyctl environments \1`"),
    (r"\bGET /environments\b", "`proxyctl environments`"),
    (r"\bGET /deployments/(\{?[\w-]+\}?)", r"`proxyctl show \1`"),
    (r"\bGET /deployments\b", "`proxyctl list`"),
    (r"\bSee GET /openapi\.json for the schema\.", "See `proxyctl config schema` for the fields."),
    (r"\bGET /openapi\.json\b", "`proxyctl config schema`"),
    (r"\bPUT a whole one first\b", "Store one with `proxyctl secret set ENVIRONMENT` first"),
    (r"\bSend \{\"environment\": …\}\.", "Name the environment."),
    (r"\bsend (?=--)", "add "),
)


def in_flags(remedy: str) -> str:
    """`Deploy again with --force.` for `Deploy again with options.force.`"""
    for field, flag in _FLAGS.items():
        remedy = re.sub(rf"\b{re.escape(field)}(?!\w|\.\w)", flag, remedy)
    for pattern, words in _PHRASES:
        remedy = re.sub(pattern, words, remedy)
    remedy = re.sub(r"\b(?P<field>(?:options|config)(?:\.\w+)+)\b(?! =)", r"--set \g<field>=…", remedy)
    return remedy.replace("`{id}`", "`ID`").replace("{id}`", "ID`").replace("{name}`", "ENVIRONMENT`")
