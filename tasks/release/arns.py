"""ARNs, taken apart in one place; an odd one is kept as it is.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import re
from dataclasses import dataclass

from tasks.project.model import Environment

_LAYER = re.compile(r"arn:[^:]*:(lambda:[^:]*:([^:]*):layer:([^:]+)):([0-9]{1,18})")


@dataclass(frozen=True)
class LayerArn:
    """The parts of a layer version's ARN; `layer` tells its layer from all others, whatever the partition.

    AWS's own layers have neither region nor account nor version, `arn:aws:lambda:::awslayer:NAME`: what is no layer
    version's ARN as we know it has the number 0.
    """

    account: str
    name: str
    number: int
    layer: str


def parse_layer(arn: str) -> LayerArn:
    """Return the parts of a layer version's ARN."""
    # held by tests/release/test_arns.py
    if known := _LAYER.fullmatch(arn):
        return LayerArn(known[2], known[3], int(known[4]), known[1])
    return LayerArn(account_of(arn), arn.rpartition(":")[-1], 0, re.sub(r"\Aarn:[^:]*:", "", arn))


def layer_key(environment: Environment, layer: str) -> str:
    """Return what tells a layer of an environment from all others, as `parse_layer` finds it in an ARN."""
    return f"lambda:{environment.region}:{environment.account}:layer:{environment.layer_names[layer]}"


def account_of(arn: str) -> str:
    """Return the account in any ARN; empty if it has none."""
    return ([*arn.split(":"), "", "", "", "", ""])[4]
