"""What each Lambda runtime brings (its Python, its C library, some packages), and what Lambda allows.

A wheel fits a runtime, never the machine that builds. Two facts per runtime decide that:

* glibc: python3.10 and 3.11 run on Amazon Linux 2 (glibc 2.26), 3.12 and later on Amazon Linux 2023 (glibc 2.34)
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
* the patch release. AWS raises it without notice, so this is a floor that every region has passed; requirements
  are resolved and environment markers evaluated for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_LAYERS = 5
MAX_UNZIPPED = 262_144_000
"""Bytes: a function's code and all its layers. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "awslambdaric")
"""What the runtimes bring: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html"""

SDK = ("boto3", "botocore")
"""Of these, the distributions that are large; which version a runtime has depends on it and the region."""

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of each architecture, and the machine name that wheels use for it."""


@dataclass(frozen=True, order=True)
class Runtime:
    """One Lambda runtime: `python` is (major, minor), `patch` a floor, `glibc` the newest version its system has."""

    python: tuple[int, int]
    patch: int
    glibc: tuple[int, int]

    @property
    def name(self) -> str:
        """AWS's identifier: `python3.11`."""
        return f"python{self.version}"

    @property
    def version(self) -> str:
        """`3.11`."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def full_version(self) -> str:
        """`3.11.8`: the oldest patch release that may be running."""
        return f"{self.version}.{self.patch}"


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime((3, 10), 12, (2, 26)),
        Runtime((3, 11), 8, (2, 26)),
        Runtime((3, 12), 2, (2, 34)),
        Runtime((3, 13), 0, (2, 34)),
        Runtime((3, 14), 0, (2, 34)),
    )
}


_REMOVED = {
    (3, 12): "asynchat asyncore distutils imp smtpd",
    (
        3,
        13,
    ): "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd "
    "sunau telnetlib uu xdrlib",
}
"""Modules that left the standard library: https://docs.python.org/3/whatsnew/3.12.html and 3.13.html, "Removed"."""


def standard_library(runtime: Runtime, known_here: Iterable[str]) -> frozenset[str]:
    """The standard library of a runtime, from that of the Python that runs this."""
    gone = {name for python, names in _REMOVED.items() if python <= runtime.python for name in names.split()}
    ever = {name for names in _REMOVED.values() for name in names.split()}
    return frozenset({*known_here, *ever} - gone)


def marker_environment(runtime: Runtime, architecture: str) -> dict[str, str]:
    """The environment (PEP 508) in which `; python_version < "3.12"` and the like are evaluated."""
    return {
        "implementation_name": "cpython",
        "implementation_version": runtime.full_version,
        "os_name": "posix",
        "platform_machine": ARCHITECTURES[architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": runtime.full_version,
        "python_version": runtime.version,
        "sys_platform": "linux",
        "extra": "",
    }
