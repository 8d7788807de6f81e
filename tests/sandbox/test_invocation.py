"""Functions run for real: their package on their layers, by AWS's runtime client, in a process of their own."""

import base64
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tasks.aws.connection import Connection
from tasks.aws.invoke import invoke_function
from tasks.sandbox.server import Server
from tests.examples import DEV, zipped

pytestmark = [pytest.mark.whole, pytest.mark.skipif(os.name == "nt", reason="awslambdaric is for Linux")]
FUNCTION = "news-ingest-dev"


@pytest.fixture(autouse=True)
def _nothing_left(server: Server) -> Iterator[None]:
    """No process outlives a test."""
    yield
    server.aws.functions.instances.stop()


def run(dev: Connection, code: str, event: Any = None, **settings: Any) -> tuple[str, Any, str]:
    """Invoke `code` as the function's package; FunctionError, answer and log."""
    dev.functions.update_function_code(FunctionName=FUNCTION, ZipFile=zipped(handler=code))
    dev.functions.update_function_configuration(FunctionName=FUNCTION, Handler="handler.run", **settings)
    return invoke(dev, event)


def invoke(dev: Connection, event: Any = None) -> tuple[str, Any, str]:
    answer = dev.functions.invoke(FunctionName=FUNCTION, Payload=json.dumps(event or {}), LogType="Tail")
    assert answer["StatusCode"] == 200
    log = base64.b64decode(answer["LogResult"]).decode("utf-8", "replace")
    return answer.get("FunctionError", ""), json.loads(answer["Payload"].read()), log


def handler(body: str) -> str:
    return f"import os, sys, json\ndef run(event, context):\n    {body}\n"


def layer(dev: Connection, name: str, **files: str) -> str:
    answer = dev.functions.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(**files)})
    return str(answer["LayerVersionArn"])


def test_the_event_goes_in_and_the_answer_comes_out(dev: Connection) -> None:
    assert run(dev, handler("return {'got': event['n'] + 1}"), {"n": 1})[:2] == ("", {"got": 2})


def test_layers_lie_over_one_another_in_order_and_the_package_comes_first(dev: Connection) -> None:
    first = layer(dev, "one", python__a="N = 1", python__b="N = 1", python__handler="raise RuntimeError")
    second = layer(dev, "two", python__a="N = 2")
    code = "import a, b\ndef run(event, context):\n    return [a.N, b.N]\n"
    assert run(dev, code, Layers=[first, second])[1] == [2, 1]


def test_variables_context_and_place_are_those_of_lambda(dev: Connection) -> None:
    body = (
        "return [context.function_name, context.memory_limit_in_mb, os.environ['CONFIG'], os.environ['AWS_REGION'], "
        "os.getcwd() == os.environ['LAMBDA_TASK_ROOT'], context.get_remaining_time_in_millis() > 1000, "
        "context.invoked_function_arn]"
    )
    variables = {"Variables": {"CONFIG": "bucket"}}
    _, answer, _ = run(dev, handler(body), Environment=variables, MemorySize=256)
    arn = f"arn:aws:lambda:eu-west-3:{DEV.account}:function:{FUNCTION}"
    assert answer == [FUNCTION, "256", "bucket", "eu-west-3", True, True, arn]


def test_s3_calls_of_a_handler_reach_the_sandbox(dev: Connection) -> None:
    body = "import boto3; boto3.client('s3').put_object(Bucket='news-code-dev', Key='made', Body=b'by the handler')"
    assert run(dev, handler(body))[0] == ""
    assert dev.s3.get_object(Bucket="news-code-dev", Key="made")["Body"].read() == b"by the handler"


def test_nothing_of_this_machine_is_in_a_functions_environment(
    dev: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert run(dev, handler("return sorted({'AWS_PROFILE', 'HTTPS_PROXY'} & set(os.environ))"))[1] == []
    error, answer, _ = run(dev, "import pytest\ndef run(event, context): ...\n")
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")


def test_a_process_is_used_again_until_anything_about_the_function_changes(dev: Connection) -> None:
    code = (
        "import os\nCALLS = []\ndef run(event, context):\n    CALLS.append(1)\n    return [len(CALLS), os.getpid()]\n"
    )
    (first, process), (second, same) = run(dev, code)[1], invoke(dev)[1]
    assert (first, second, process == same) == (1, 2, True)
    dev.functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": {"NEW": "1"}})
    assert invoke(dev)[1][0] == 1


def test_an_import_error_is_http_200_with_a_function_error(dev: Connection) -> None:
    error, answer, log = run(dev, "import yaml_of_old\ndef run(event, context): ...\n")
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert answer["errorMessage"] == "Unable to import module 'handler': No module named 'yaml_of_old'"
    assert "yaml_of_old" in log


def test_what_a_handler_raises_is_reported_with_its_trace(dev: Connection) -> None:
    error, answer, _ = run(dev, handler("raise ValueError('no')"))
    assert (error, answer["errorType"], answer["errorMessage"]) == ("Unhandled", "ValueError", "no")
    assert "handler.py" in "".join(answer["stackTrace"])


def test_a_handler_that_hangs_is_ended_at_its_timeout(dev: Connection) -> None:
    error, answer, _ = run(dev, handler("import time; time.sleep(60)"), Timeout=1)
    assert error == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]


def test_a_handler_that_exits_is_an_error_and_the_next_call_starts_afresh(dev: Connection) -> None:
    error, answer, _ = run(dev, handler("return 1 if event.get('well') else os._exit(3)"))
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "exit status 3" in answer["errorMessage"]
    assert invoke(dev, {"well": True})[1] == 1


def test_ten_megabytes_of_print_leave_the_last_4_kb(dev: Connection) -> None:
    _, answer, log = run(dev, handler("print('x' * 10_000_000); print('the end'); return 1"), Timeout=20)
    assert answer == 1
    assert len(log) <= 4096
    assert "the end" in log


def test_what_json_cannot_carry_is_an_error(dev: Connection) -> None:
    error, answer, _ = run(dev, handler("return {1, 2}"))
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.MarshalError")


def test_a_package_that_leads_outside_is_refused(dev: Connection) -> None:
    code = zipped(handler="def run(e, c): ...").replace(b"handler.py", b"../evil.py")
    dev.functions.update_function_code(FunctionName=FUNCTION, ZipFile=code)
    with pytest.raises(ClientError) as caught:
        dev.functions.invoke(FunctionName=FUNCTION)
    assert caught.value.response["Error"]["Code"] == "InvalidZipFileException"


def test_a_function_that_is_not_there_cannot_be_invoked(dev: Connection) -> None:
    with pytest.raises(ClientError) as caught:
        dev.functions.invoke(FunctionName="nobody")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_runtime_that_is_not_on_this_machine_says_what_runs_instead(dev: Connection) -> None:
    _, answer, log = run(dev, handler("return 1"), Runtime="python3.14")
    assert answer == 1
    assert "no python3.14 here: run by Python 3." in log or "START" in log


def test_what_a_handler_has_started_ends_with_it(dev: Connection, server: Server) -> None:
    body = "import subprocess; subprocess.Popen(['sleep', '30']); os._exit(1)"
    begun = time.monotonic()
    assert run(dev, handler(body))[0] == "Unhandled"
    server.aws.functions.instances.stop()
    assert time.monotonic() - begun < 15


def test_a_functions_own_variables_cannot_lead_it_to_real_aws(dev: Connection) -> None:
    variables = {
        "Variables": {"AWS_ENDPOINT_URL_S3": "https://aws.invalid", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "1"}
    }
    body = "return sorted(name for name in os.environ if 'ENDPOINT' in name)"
    assert run(dev, handler(body), Environment=variables)[1] == ["AWS_ENDPOINT_URL"]


def test_each_function_has_one_process_however_often_it_was_deployed(dev: Connection, server: Server) -> None:
    for number in range(4):
        assert run(dev, handler(f"return {number}"))[1] == number
    assert len(server.aws.functions.instances) == 1


@pytest.mark.parametrize("event", [b"NaN", b'{"a": Infinity}', b"{", b"[" * 100_000])
def test_an_event_that_is_no_json_is_refused_as_on_lambda(dev: Connection, event: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        dev.functions.invoke(FunctionName=FUNCTION, Payload=event)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_an_event_of_more_than_six_megabytes_is_refused_as_on_lambda(dev: Connection) -> None:
    with pytest.raises(ClientError) as caught:
        dev.functions.invoke(FunctionName=FUNCTION, Payload=b'"' + b"x" * (6 * 1024 * 1024) + b'"')
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_last_modified_moves_with_every_change(dev: Connection) -> None:
    read = dev.functions.get_function_configuration
    before = read(FunctionName=FUNCTION)["LastModified"]
    dev.functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=256)
    after = read(FunctionName=FUNCTION)["LastModified"]
    assert after > before == before.replace(" ", "T")
    assert read(FunctionName=FUNCTION)["LastModified"] == after


@pytest.fixture
def ours(server: Server) -> Iterator[None]:
    """Functions run by the bootstrap of this package, as on Windows and macOS."""
    server.aws.functions.instances._bootstrap = True  # noqa: SLF001
    yield
    server.aws.functions.instances._bootstrap = False  # noqa: SLF001


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (handler("return {'n': event['n'] + 1, 'left': context.get_remaining_time_in_millis() > 0}"), "", ""),
        ("import yaml_of_old\ndef run(event, context): ...\n", "Unhandled", "Runtime.ImportModuleError"),
        ("def walk(event, context): ...\n", "Unhandled", "Runtime.HandlerNotFound"),
        ("def run(:\n", "Unhandled", "Runtime.UserCodeSyntaxError"),
        (handler("raise ValueError('no')"), "Unhandled", "ValueError"),
        (handler("return {1}"), "Unhandled", "Runtime.MarshalError"),
        (handler("os._exit(3)"), "Unhandled", "Runtime.ExitError"),
    ],
)
def test_without_awss_runtime_client_a_bootstrap_answers_as_it_does(
    dev: Connection, server: Server, code: str, error: str, kind: str
) -> None:
    found, answer, log = run(dev, code, {"n": 1})
    assert (found, answer.get("errorType", "")) == (error, kind)
    assert "START RequestId" in log
    if not error:
        assert answer == {"n": 2, "left": True}
    server.aws.functions.instances._bootstrap = False  # noqa: SLF001
    dev.functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=256)
    theirs = invoke(dev, {"n": 1})
    assert (theirs[0], theirs[1].get("errorType", "")) == (error, kind)


def test_what_a_function_calls_while_it_answers_is_told_and_what_it_calls_at_its_start_is_not(dev: Connection) -> None:
    code = (
        "import boto3\n"
        "s3 = boto3.client('s3')\n"
        "s3.list_buckets()\n"
        "def run(event, context):\n"
        "    if not event.get('smoke'):\n"
        f"        s3.list_objects_v2(Bucket='{DEV.bucket}')\n"
        "    return {}\n"
    )
    run(dev, code, {"smoke": True})
    assert invoke_function(dev, FUNCTION, '{"smoke": true}').work == ()
    assert invoke_function(dev, FUNCTION, "{}").work == (f"read s3://{DEV.bucket}",)
