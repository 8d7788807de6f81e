"""The changes this tool can make, as values. `str(action)` is its line in the plan, in the log and in the error.

Actions name artifacts, not ARNs: an ARN does not exist before its layer is published, and the whole plan must exist
before the first change.
"""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from tasks.release.artifacts import Artifact
from tasks.release.functions import State, changes
from tasks.release.release import Release


@dataclass(frozen=True)
class Upload:
    """Put a built archive into the environment's bucket."""

    artifact: Artifact
    bucket: str

    def __str__(self) -> str:
        return f"Uploading to s3://{self.bucket}/{self.artifact.key}"


@dataclass(frozen=True)
class Copy:
    """Copy an archive, byte for byte, from the bucket `source`, which the account `owner` owns."""

    artifact: Artifact
    source: str
    owner: str
    bucket: str

    def __str__(self) -> str:
        return f"Copying s3://{self.source}/{self.artifact.key} to s3://{self.bucket}/{self.artifact.key}"


@dataclass(frozen=True)
class Publish:
    """Make a layer version of an archive that the bucket holds."""

    artifact: Artifact
    bucket: str
    layer_name: str
    description: str

    def __str__(self) -> str:
        return f"Publishing layer {self.layer_name}"


@dataclass(frozen=True)
class Store:
    """Keep contents of the configuration by their SHA-256; from this machine if `source` is empty."""

    key: str
    sha256: str
    bucket: str
    source: str = ""
    owner: str = ""

    def __str__(self) -> str:
        return f"Storing {self.key} as s3://{self.bucket}/{subject(self)}"


@dataclass(frozen=True)
class KeepPackage:
    """Keep the package that a function runs, whoever made it, before it is replaced."""

    function: str
    sha256: str
    bucket: str

    def __str__(self) -> str:
        return f"Keeping the package of {self.function} as s3://{self.bucket}/{subject(self)}"


@dataclass(frozen=True)
class KeepObject:
    """Keep an object of the configuration, whoever wrote it, before it is replaced."""

    key: str
    source: str
    sha256: str
    bucket: str

    def __str__(self) -> str:
        return f"Keeping s3://{self.source}/{self.key} as s3://{self.bucket}/{subject(self)}"


@dataclass(frozen=True)
class Record:
    """Write down what belongs to the release, once everything it names is there."""

    release: Release
    bucket: str

    def __str__(self) -> str:
        return f"Recording release s3://{self.bucket}/{self.release.key}"


@dataclass(frozen=True)
class Switch:
    """Bring one function to its new state: runtime, layers and handler in one call, then the package.

    `package_key` is where the package lies in `bucket`; empty if it stays. `revision` is AWS's id of the state this was
    decided on. `forced` sends an update even where nothing differs, so that an earlier one can no longer take effect.
    """

    function: str
    before: State
    after: State
    bucket: str
    package_key: str
    revision: str
    forced: bool = False

    @property
    def what(self) -> str:
        """What changes, in words."""
        return changes(self.before, self.after)

    def __str__(self) -> str:
        return f"Updating {self.function}..."


@dataclass(frozen=True)
class Configure:
    """Give one object of the configuration other contents, by SHA-256; an empty digest means that there is none."""

    key: str
    bucket: str
    before: str
    after: str
    contents: str
    etag: str = ""

    @property
    def sign(self) -> str:
        """Added, removed or changed."""
        return "+" if not self.before else "~" if self.after else "-"

    def __str__(self) -> str:
        verb = {"+": "Adding", "-": "Removing", "~": "Changing"}[self.sign]
        return f"{verb} {subject(self)}"


Action: TypeAlias = Upload | Copy | Publish | Store | KeepPackage | KeepObject | Record | Switch | Configure


def subject(action: Action) -> str:  # noqa: PLR0911  (one case an action)
    """What an action is about: two on one subject are performed in their order, others may run side by side.

    Empty for an action that waits for all before it.
    """
    match action:
        case Upload() | Copy() | Publish():
            return action.artifact.key
        case Store():
            return contents_key(action.sha256)
        case KeepPackage():
            return package_key(action.sha256)
        case KeepObject():
            return before_key(action.sha256)
        case Switch():
            return action.function
        case Configure():
            return f"s3://{action.bucket}/{action.key}"
        case Record():
            return ""
        case _:
            assert_never(action)


@dataclass(frozen=True)
class Outcome:
    """What AWS reported once an action was done: a layer version's ARN, a function's revision, an object's ETag."""

    action: Action
    arn: str = ""
    revision: str = ""
    etag: str = ""


@dataclass(frozen=True)
class Note:
    """No action: what the owner of a function or an object should know, or a function that is `skipped`."""

    text: str
    skipped: bool = False

    def __str__(self) -> str:
        return self.text


def package_key(sha256: str) -> str:
    """Where a package is kept that was replaced."""
    return f"before/{sha256}.zip"


def before_key(sha256: str) -> str:
    """Where an object of the configuration is kept that was replaced."""
    return f"before/{sha256}"


def contents_key(sha256: str) -> str:
    """Where the configuration of a release is kept."""
    return f"contents/{sha256}"
