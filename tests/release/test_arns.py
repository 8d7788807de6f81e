"""ARNs, and odd ones."""

import pytest

from tasks.release.arns import LayerArn, account_of, parse_layer
from tasks.release.functions import LayerVersion

CORE = "arn:aws:lambda:eu-west-3:111122223333:layer:news-core-dev:7"


def test_a_layer_versions_arn_has_an_account_a_name_and_a_number() -> None:
    layer = "lambda:eu-west-3:111122223333:layer:news-core-dev"
    assert parse_layer(CORE) == LayerArn("111122223333", "news-core-dev", 7, layer)
    assert parse_layer(CORE.replace("arn:aws:", "arn:aws-cn:")).layer == layer


@pytest.mark.parametrize(
    ("arn", "shown"),
    [
        ("arn:aws:lambda:::awslayer:AmazonLinux1803", "AmazonLinux1803"),
        ("arn:aws:lambda:eu-west-3:111122223333:layer:odd", "odd"),
        ("arn:aws:lambda:eu-west-3:111122223333:layer:odd:$LATEST", "$LATEST"),
        ("something", "something"),
        ("", ""),
    ],
)
def test_an_odd_arn_is_kept_and_shown_by_its_last_part(arn: str, shown: str) -> None:
    assert parse_layer(arn).number == 0
    assert str(LayerVersion(arn)) == shown


@pytest.mark.parametrize(
    ("arn", "account"), [("arn:aws:sts::111122223333:assumed-role/x", "111122223333"), ("a:b", ""), ("", "")]
)
def test_the_account_of_any_arn(arn: str, account: str) -> None:
    assert account_of(arn) == account
