import pytest

from tasks.aws.connection import Connection, connect
from tasks.errors import ConfigError
from tasks.project.release_toml import parse_project
from tasks.sandbox.server import Server
from tests.conftest import refresh
from tests.examples import DEV, RELEASE_TOML


def test_every_function_is_there_with_its_runtime_and_a_layer_that_is_not_ours(dev: Connection) -> None:
    found = dev.functions.list_functions()["Functions"]
    runtimes = {each["FunctionName"]: each["Runtime"] for each in found}
    assert {runtimes[DEV.function_names[key]] for key in ("ingest", "letter")} == {"python3.12", "python3.11"}
    assert all("another-team-tracing-dev:1" in each["Layers"][0]["Arn"] for each in found[:1])


def test_no_environment_has_configuration_yet(dev: Connection, stage: Connection) -> None:
    assert dev.s3.list_objects_v2(Bucket="news-config-dev")["KeyCount"] == 0
    assert stage.s3.list_objects_v2(Bucket="news-config-stage")["KeyCount"] == 0


def test_a_region_that_aws_does_not_have_is_named(server: Server) -> None:
    text = RELEASE_TOML.replace('region = "eu-west-1"', 'region = "eu-nowhere-9"')
    with pytest.raises(ConfigError, match=r"\[environments.prod\] region 'eu-nowhere-9' is none of AWS's"):
        refresh(server, parse_project(text))


def test_functions_get_the_timeout_and_the_memory_of_release_toml(server: Server) -> None:
    settings = 'runtime = "python3.12"\ntimeout = 900\nmemory = 512'
    project = parse_project(RELEASE_TOML.replace('runtime = "python3.12"', settings))
    dev = connect(project.environments["dev"], refresh(server, project))
    read = dev.functions.get_function_configuration
    ingest, letter = (read(FunctionName=f"news-{name}-dev") for name in ("ingest", "letter"))
    assert (ingest["Timeout"], ingest["MemorySize"]) == (900, 512)
    assert (letter["Timeout"], letter["MemorySize"]) == (3, 128)
