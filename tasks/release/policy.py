"""The least that somebody must be permitted in an environment, as an IAM policy.

Which actions there are, and what they may be restricted to:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and list_amazons3.html
"""

from typing import Any

from tasks.project.model import Environment

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def policy(environment: Environment, previous: Environment | None = None) -> dict[str, Any]:
    """What all commands need in an environment, and what a promotion reads in the one before it."""
    here = _Names(environment)
    statements = [
        _allow("ListBuckets", ["s3:ListBucket"], here.buckets),
        _allow("ReadAndKeepReleases", ["s3:GetObject", "s3:PutObject"], [here.objects(environment.bucket)]),
        _allow(
            "ReadFunctions",
            ["lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListAliases", "lambda:InvokeFunction"],
            here.functions,
        ),
        _allow("UpdateFunctions", ["lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode"], here.functions),
        _allow("PublishLayers", ["lambda:PublishLayerVersion"], here.layers),
        _allow("UseLayers", ["lambda:GetLayerVersion"], here.versions),
        # these two cannot be restricted to a layer or a function
        _allow("List", ["lambda:ListLayerVersions", "lambda:ListFunctions"], ["*"]),
        _allow("PruneLayers", ["lambda:GetLayerVersionPolicy", "lambda:DeleteLayerVersion"], here.versions),
        _allow("PruneReleases", ["s3:DeleteObject"], [here.objects(environment.bucket)]),
        _allow(
            "CheckBuckets",
            [
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetLifecycleConfiguration",
            ],
            here.buckets,
        ),
    ]
    if environment.canonical_bucket:
        configuration = [here.objects(f"{environment.canonical_bucket}/{each}") for each in environment.canonical]
        statements.append(
            _allow("ReplaceConfiguration", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], configuration)
        )
    if previous:
        before = _Names(previous)
        statements += [
            _allow("ReadReleaseBefore", ["s3:GetObject"], [before.objects(previous.bucket)]),
            _allow("ListReleasesBefore", ["s3:ListBucket"], before.buckets),
            _allow("ReadFunctionsBefore", ["lambda:GetFunction"], before.functions),
            _allow("ReadLayersBefore", ["lambda:GetLayerVersion"], before.versions),
        ]
        if previous.canonical_bucket:
            configuration = [before.objects(f"{previous.canonical_bucket}/{each}") for each in previous.canonical]
            statements.append(_allow("ReadConfigurationBefore", ["s3:GetObject"], configuration))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


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
    def functions(self) -> list[str]:
        """Each function, and its versions and aliases."""
        names = self._environment.function_names.values()
        return [self._lambda(f"function:{name}{more}") for name in names for more in ("", ":*")]

    @property
    def layers(self) -> list[str]:
        return [self._lambda(f"layer:{name}") for name in self._environment.layer_names.values()]

    @property
    def versions(self) -> list[str]:
        return [f"{each}:*" for each in self.layers]

    def objects(self, below: str) -> str:
        return f"arn:{self._partition}:s3:::{below}/*"

    def _lambda(self, what: str) -> str:
        return f"arn:{self._partition}:lambda:{self._environment.region}:{self._environment.account}:{what}"
