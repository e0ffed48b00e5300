"""Another bundle of the proxy for an installed control plane, whose own code stays."""

import json
import secrets

from installer import bucket
from installer.packaging import releases
from installer.say import tell
from installer.stack import STACK, Deployer
from installer.target import Target


def hold(aws: Target, key: str) -> str:
    """Let the control plane roll this bundle from now on; answers the key of the one before.

    What serves are published versions, which keep their variables: so this publishes others of the same code.
    """
    formation = aws.client("cloudformation")
    stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
    present = {str(item["ParameterKey"]): str(item["ParameterValue"]) for item in stack["Parameters"]}
    body = formation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    text = body if isinstance(body, str) else json.dumps(body, sort_keys=True)  # botocore parses JSON
    publication = secrets.token_hex(6)
    content = text.replace(present["Publication"], publication).encode()
    template = releases.key_of(content)
    bucket.upload(aws, template, content)
    parameters = {**present, "BundleKey": key, "Publication": publication}
    Deployer(formation, progress=tell).deploy(aws.object_url(template), parameters, f"proxyctl-bundle-{publication}")
    return present["BundleKey"]
