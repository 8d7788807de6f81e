"""Reads and writes the pipeline's files in S3."""

import json
import os
from typing import Any, Protocol

import yaml


class Store(Protocol):
    """Where files are; `bucket` is `config`, `data` or `newsletters`."""

    def read(self, bucket: str, key: str) -> bytes: ...

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> None: ...


class S3Store:
    """The three buckets that the function's environment variables name."""

    def __init__(self) -> None:
        import boto3  # the Lambda runtime brings it; nothing else here needs it

        self._s3 = boto3.client("s3")
        self._buckets = {
            "config": os.environ["CONFIG_BUCKET"],
            "data": os.environ["DATA_BUCKET"],
            "newsletters": os.environ["NEWSLETTERS_BUCKET"],
        }

    def read(self, bucket: str, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._buckets[bucket], Key=key)["Body"].read()
        return body

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        self._s3.put_object(Bucket=self._buckets[bucket], Key=key, Body=body, ContentType=content_type)


def read_yaml(store: Store, key: str) -> Any:
    """A YAML file of the configuration."""
    return yaml.safe_load(store.read("config", key))


def read_json(store: Store, key: str) -> Any:
    """A JSON file of the data bucket."""
    return json.loads(store.read("data", key))


def write_json(store: Store, key: str, data: Any) -> None:
    """Write a JSON file to the data bucket."""
    store.write("data", key, json.dumps(data, ensure_ascii=False, indent=1).encode(), "application/json")
