"""The least that somebody must be permitted in an environment, as an IAM policy.

Which actions there are, and what they may be restricted to:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and list_amazons3.html
"""

import re
from typing import Any

from tasks.project.model import Environment, Project

_MOST_NAMED = 8
"""Functions that are named one by one: a managed policy holds 6,144 characters."""
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def policy(project: Project, name: str) -> dict[str, Any]:
    """What all commands need in an environment of a project, and what a promotion reads in the one before it."""
    environment = project.environment(name)
    here, others = _Names(environment), [each for each in project.environments.values() if each.name != name]
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
            here.buckets,
        ),
        _allow("Objects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], here.objects),
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
            here.functions,
        ),
        _allow("PublishLayers", ["lambda:PublishLayerVersion"], here.layers),
        # of others, too: theirs stay on the functions, and whoever attaches a layer must be able to read it
        _allow("AttachLayers", ["lambda:GetLayerVersion"], [here.any_layer]),
        _allow("PruneLayers", ["lambda:GetLayerVersionPolicy", "lambda:DeleteLayerVersion"], here.versions),
        # these two cannot be restricted to a layer or a function
        _allow("List", ["lambda:ListLayerVersions", "lambda:ListFunctions"], ["*"]),
    ]
    if project.e2e.bucket:
        key = re.sub(r"\{\w+\}", "*", project.e2e.key.replace("{env}", name))
        result = f"{project.e2e.bucket.replace('{env}', name)}/{key}"
        statements.append(_allow("ReadResults", ["s3:GetObject"], [here.object_of(result)]))
    if environment.previous:
        before = _Names(project.environment(environment.previous))
        statements += [
            _allow("ReadReleaseBefore", ["s3:GetObject"], before.objects),
            _allow("ReadFunctionsBefore", ["lambda:GetFunction"], before.functions),
        ]
    if others:  # what a promotion reads, and what prune must know: which releases others need
        names = [_Names(each) for each in others]
        statements += [
            _allow("ListElsewhere", ["s3:ListBucket"], [bucket for each in names for bucket in each.buckets]),
            _allow("ReadJournals", ["s3:GetObject"], [path for each in names for path in each.journal]),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _shared(names: list[str]) -> str:
    """What all names begin with."""
    first, last = min(names), max(names)
    return first[: next((place for place, each in enumerate(first) if each != last[place]), len(first))]


class _Names:
    """The ARNs of what belongs to an environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        named = [partition for start, partition in _PARTITIONS.items() if environment.region.startswith(start)]
        self._partition = named[0] if named else "aws"

    @property
    def buckets(self) -> list[str]:
        named = dict.fromkeys([self._environment.bucket, self._environment.canonical_bucket])
        return [f"arn:{self._partition}:s3:::{each}" for each in named if each]

    @property
    def objects(self) -> list[str]:
        """Those of releases, and of the configuration below its prefixes."""
        canonical = [f"{self._environment.canonical_bucket}/{each}/*" for each in self._environment.canonical]
        return [self.object_of(each) for each in (f"{self._environment.bucket}/*", *canonical)]

    @property
    def journal(self) -> list[str]:
        return [self.object_of(f"{self._environment.bucket}/{each}/*") for each in ("journal", "releases")]

    @property
    def functions(self) -> list[str]:
        """Each function, and its versions and aliases; by a pattern where they are many."""
        names = list(self._environment.function_names.values())
        if len(names) > _MOST_NAMED:
            names = [f"{_shared(names)}*{_shared([each[::-1] for each in names])[::-1]}"]
        return [self._lambda(f"function:{name}{more}") for name in names for more in ("", ":*")]

    @property
    def layers(self) -> list[str]:
        return [self._lambda(f"layer:{name}") for name in self._environment.layer_names.values()]

    @property
    def versions(self) -> list[str]:
        return [f"{each}:*" for each in self.layers]

    @property
    def any_layer(self) -> str:
        return f"arn:{self._partition}:lambda:{self._environment.region}:*:layer:*"

    def object_of(self, path: str) -> str:
        return f"arn:{self._partition}:s3:::{path}"

    def _lambda(self, what: str) -> str:
        return f"arn:{self._partition}:lambda:{self._environment.region}:{self._environment.account}:{what}"
