"""What an AWS account holds before the first release: buckets, a role and functions for each environment."""

import io
import json
import zipfile
from typing import Any

from tasks.aws.connection import client, connect
from tasks.errors import ConfigError
from tasks.project.model import Environment, Project

FOREIGN_LAYER = "another-team-tracing"
"""A layer that is not ours, on every function, to see that releases leave it alone."""

_TIMEOUT, _MEMORY = 3, 128
"""What Lambda gives a function for which nobody says: seconds and MB."""

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_HANDLER = "def lambda_handler(event, context):\n    return {'statusCode': 200, 'body': 'not released yet'}\n"


def seed(project: Project, endpoint: str) -> None:
    """Create every environment: buckets, a role, functions that nobody has released yet."""
    buckets: set[str] = set()
    for environment in project.environments.values():
        _check_region(environment)
        variables = {k: v.replace("{env}", environment.name) for k, v in project.sandbox_variables.items()}
        named = [value for name, value in variables.items() if name.endswith("_BUCKET")]
        for bucket in sorted({environment.bucket, environment.canonical_bucket, *named} - buckets - {""}):
            connect(environment, endpoint).s3.create_bucket(Bucket=bucket, **_location(environment.region))
            buckets.add(bucket)
        _create(project, environment, endpoint, variables)


def _create(project: Project, environment: Environment, endpoint: str, variables: dict[str, str]) -> None:
    """One environment's role, foreign layer and functions."""
    there = connect(environment, endpoint)
    role = client("iam", environment, endpoint).create_role(
        RoleName=f"sandbox-{environment.name}", AssumeRolePolicyDocument=json.dumps(_TRUST)
    )["Role"]["Arn"]
    foreign = there.functions.publish_layer_version(
        LayerName=f"{FOREIGN_LAYER}-{environment.name}", Content={"ZipFile": _zip("python/tracing.py", "")}
    )["LayerVersionArn"]
    for key, name in environment.function_names.items():
        there.functions.create_function(
            FunctionName=name,
            Runtime=project.functions[key].runtime,
            Timeout=project.functions[key].timeout or _TIMEOUT,
            MemorySize=project.functions[key].memory or _MEMORY,
            Architectures=[project.architecture],
            Role=role,
            Handler="handler.lambda_handler",
            Code={"ZipFile": _zip("handler.py", _HANDLER)},
            Layers=[foreign],
            Environment={"Variables": variables},
        )


def _check_region(environment: Environment) -> None:
    """ConfigError if AWS has no such region, as far as moto knows."""
    from moto.awslambda.models import lambda_backends

    try:
        lambda_backends[environment.account][environment.region]
    except KeyError as error:
        raise ConfigError(
            f"release.toml: [environments.{environment.name}] region {environment.region!r} is none of AWS's; "
            "correct it"
        ) from error


def _location(region: str) -> dict[str, Any]:
    """us-east-1 is the one region that CreateBucket must not name."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _zip(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)  # dated 1980, so that equal functions are equal
    return buffer.getvalue()
