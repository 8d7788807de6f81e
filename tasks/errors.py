"""What can go wrong, in the user's words. Bugs are not here: those keep their traceback.

Invoke prints the message of an `Exit` on stderr and ends with its code, also while the tasks are being loaded,
so a `ReleaseError` needs no handler anywhere.
"""

from invoke import Exit


class ReleaseError(Exit):
    """Cannot go on; the message says what to do about it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"[ERROR] {text}", 1)
        self.text = text

    def __str__(self) -> str:
        return self.text


class ConfigError(ReleaseError):
    """VERSION or release.toml is missing something or contradicts itself."""


class BuildError(ReleaseError):
    """An archive is absent, unsound, or Lambda would refuse it."""


class PlanError(ReleaseError):
    """The requested state cannot be reached, or a rule forbids it."""


class AwsError(ReleaseError):
    """AWS refused: what we were doing, the AWS code, what to try."""
