"""The least that somebody must be permitted in an environment, as an IAM policy.

Which actions there are, and what they may be restricted to:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and list_amazons3.html
"""

import re
from typing import Any

from tasks.project.model import Environment, Project

_MOST_NAMED = 8
"""Functions that are named one by one: a managed policy holds 6,144 characters."""
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
}
"""How the regions of a partition begin, where that is not `aws`, as botocore's partitions.json has it."""


def policy(project: Project, name: str) -> dict[str, Any]:
    """What all commands need in an environment of a project, and what a promotion reads in the one before it."""
    environment = project.environment(name)
    partition = _partition(environment)
    here, others = _arns(environment), [each for each in project.environments.values() if each.name != name]
    # held by tests/release/test_policy.py `'lambda:ListAliases'` `'s3:PutObject'`
    statements = [
        _allow(
            "Buckets",
            [
                "s3:ListBucket",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetLifecycleConfiguration",
            ],
            here["buckets"],
        ),
        _allow("Objects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], here["objects"]),
        _allow(
            "Functions",
            [
                "lambda:GetFunction",
                "lambda:GetFunctionConfiguration",
                "lambda:ListAliases",
                "lambda:InvokeFunction",
                "lambda:UpdateFunctionConfiguration",
                "lambda:UpdateFunctionCode",
            ],
            here["functions"],
        ),
        _allow("PublishLayers", ["lambda:PublishLayerVersion"], here["layers"]),
        # of others, too: theirs stay on the functions, and whoever attaches a layer must be able to read it
        _allow("AttachLayers", ["lambda:GetLayerVersion"], [f"arn:{partition}:lambda:{environment.region}:*:layer:*"]),
        _allow("PruneLayers", ["lambda:GetLayerVersionPolicy", "lambda:DeleteLayerVersion"], here["versions"]),
        # these two cannot be restricted to a layer or a function
        _allow("List", ["lambda:ListLayerVersions", "lambda:ListFunctions"], ["*"]),
    ]
    if project.e2e.bucket:
        key = re.sub(r"\{\w+\}", "*", project.e2e.key.replace("{env}", name))
        result = f"{project.e2e.bucket.replace('{env}', name)}/{key}"
        statements.append(_allow("ReadResults", ["s3:GetObject"], [f"arn:{partition}:s3:::{result}"]))
    if environment.previous:
        before = _arns(project.environment(environment.previous))
        statements += [
            _allow("ReadReleaseBefore", ["s3:GetObject"], before["objects"]),
            _allow("ReadFunctionsBefore", ["lambda:GetFunction"], before["functions"]),
        ]
    if others:  # what a promotion reads, and what prune must know: which releases others need
        names = [_arns(each) for each in others]
        statements += [
            _allow("ListElsewhere", ["s3:ListBucket"], [bucket for each in names for bucket in each["buckets"]]),
            _allow("ReadJournals", ["s3:GetObject"], [path for each in names for path in each["journal"]]),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _shared(names: list[str]) -> str:
    """What all names begin with."""
    first, last = min(names), max(names)
    return first[: next((place for place, each in enumerate(first) if each != last[place]), len(first))]


def _partition(environment: Environment) -> str:
    """The part of AWS that an environment is in."""
    return next((each for start, each in _PARTITIONS.items() if environment.region.startswith(start)), "aws")


def _arns(environment: Environment) -> dict[str, list[str]]:
    """The ARNs of what belongs to an environment; functions with their versions and aliases."""
    s3, bucket = f"arn:{_partition(environment)}:s3:::", environment.bucket
    here = f"arn:{_partition(environment)}:lambda:{environment.region}:{environment.account}"
    names = list(environment.function_names.values())
    # held by tests/release/test_policy.py
    if len(names) > _MOST_NAMED:
        names = [f"{_shared(names)}*{_shared([each[::-1] for each in names])[::-1]}"]
    layers = [f"{here}:layer:{name}" for name in environment.layer_names.values()]
    return {
        "buckets": [s3 + each for each in dict.fromkeys([bucket, environment.canonical_bucket]) if each],
        "objects": [
            f"{s3}{bucket}/*",
            *(f"{s3}{environment.canonical_bucket}/{each}/*" for each in environment.canonical),
        ],
        "journal": [f"{s3}{bucket}/{each}/*" for each in ("journal", "releases")],
        "functions": [f"{here}:function:{name}{more}" for name in names for more in ("", ":*")],
        "layers": layers,
        "versions": [f"{each}:*" for each in layers],
    }
