"""Answers in place of AWS: what moto never says, said where a request would leave the process."""

import io
import json
from typing import Any, Self

from botocore.awsrequest import AWSResponse


class Body(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


class Refusing:
    """While it is in use, an operation gets an error instead of being carried out."""

    def __init__(self, client: Any, operation: str, code: str, status: int = 400) -> None:
        self._events = client.meta.events
        self._event = f"before-send.{client.meta.service_model.service_name}.{operation}"
        self._code, self._status = code, status
        self.asked = 0

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.asked += 1
        code = f"<Error><Code>{self._code}</Code><Message>no</Message></Error>".encode()
        if "lambda" in self._event:
            code = json.dumps({"Type": "User", "Message": "no"}).encode()
        return AWSResponse(request.url, self._status, {"x-amzn-errortype": self._code}, Body(code))

    def __enter__(self) -> Self:
        self._events.register_first(self._event, self._answer, unique_id="answers")
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister(self._event, unique_id="answers")


class Reporting:
    """While it is in use, what AWS reports is changed before it is read: `change(answer)` edits it in place."""

    def __init__(self, client: Any, operation: str, change: Any) -> None:
        self._events = client.meta.events
        self._event = f"after-call.{client.meta.service_model.service_name}.{operation}"
        self._change = change

    def _edit(self, parsed: dict[str, Any], **_: Any) -> None:
        self._change(parsed)

    def __enter__(self) -> Self:
        self._events.register_last(self._event, self._edit, unique_id="reporting")
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister(self._event, unique_id="reporting")
