from tasks.aws.connection import Connection
from tests.examples import DEV


def test_every_function_is_there_with_its_runtime_and_a_layer_that_is_not_ours(dev: Connection) -> None:
    found = dev.functions.list_functions()["Functions"]
    runtimes = {each["FunctionName"]: each["Runtime"] for each in found}
    assert {runtimes[DEV.function_names[key]] for key in ("ingest", "letter")} == {"python3.12", "python3.11"}
    assert all("another-team-tracing-dev:1" in each["Layers"][0]["Arn"] for each in found[:1])


def test_no_environment_has_configuration_yet(dev: Connection, stage: Connection) -> None:
    assert dev.s3.list_objects_v2(Bucket="news-config-dev")["KeyCount"] == 0
    assert stage.s3.list_objects_v2(Bucket="news-config-stage")["KeyCount"] == 0
