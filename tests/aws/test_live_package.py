import io
import zipfile
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.live_package import live_modules, modules_of, names_in_directory
from tasks.aws.observe import observe
from tasks.project.command import address_of
from tasks.release.artifacts import base64_digest
from tests.aws.answers import Reporting
from tests.examples import RELEASE


def package(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return buffer.getvalue()


def stored(connection: Connection, contents: bytes) -> str:
    """A presigned address of a package, as GetFunction gives one."""
    connection.s3.put_object(Bucket="news-code-dev", Key="package.zip", Body=contents)
    address: str = connection.s3.generate_presigned_url(
        "get_object", Params={"Bucket": "news-code-dev", "Key": "package.zip"}
    )
    return address


def test_the_names_are_read_from_the_end_of_the_package_alone(dev: Connection) -> None:
    many = [f"folder{number}/__init__.py" for number in range(2000)]
    address = stored(dev, package("handler.py", "core/__init__.py", *many))
    assert {"handler", "core", "folder1999"} <= set(live_modules(address))


def test_a_package_that_cannot_be_read_is_no_error(dev: Connection) -> None:
    assert live_modules(stored(dev, b"no archive")) == ()
    assert live_modules("http://127.0.0.1:9/package.zip") == ()
    assert names_in_directory(b"") == []


def test_a_function_that_keeps_its_own_package_is_looked_into(dev: Connection) -> None:
    address = stored(dev, package("handler.py", "core/__init__.py"))

    def report(answer: dict[str, Any]) -> None:
        if "Code" in answer:
            answer["Code"]["Location"] = address
            answer["Configuration"]["CodeSha256"] = base64_digest("ef" * 32)

    with Reporting(dev.functions, "GetFunction", report):
        assert observe(dev, RELEASE)[1].functions["news-ingest-dev"].modules == ("core", "handler")


def test_on_the_sandbox_no_address_outside_of_it_is_read(dev: Connection) -> None:
    assert not dev.reaches("https://awslambda-eu-west-3-tasks.s3.eu-west-3.amazonaws.com/x")
    assert dev.reaches(address_of(dev.endpoint) + "/x")
    assert observe(dev, RELEASE)[1].functions["news-ingest-dev"].modules == ("handler",)


def test_a_package_is_looked_into_once(dev: Connection) -> None:
    address = stored(dev, package("known.py"))
    assert modules_of("ab" * 32, address) == live_modules(address)
    assert modules_of("ab" * 32, "http://127.0.0.1:9/package.zip") == live_modules(address)
    assert modules_of("cd" * 32, "http://127.0.0.1:9/package.zip") == ()
