"""Sessions: whose credentials are used, and that nothing in the environment can send the sandbox's anywhere else."""

import os
import sys
from functools import lru_cache, partial
from getpass import getpass
from pathlib import Path

import boto3
import botocore.session
from botocore.utils import JSONFileCache

from tasks.aws.strangers import refuse_stranger
from tasks.errors import AwsError
from tasks.project.command import ACCESS_KEY


@lru_cache
def session_of(profile: str) -> boto3.Session:
    """A session that shares the aws CLI's cache of roles, so that an MFA code is asked for once by either of them."""
    core = botocore.session.Session(profile=profile or None)
    roles = core.get_component("credential_provider").get_provider("assume-role")
    roles.cache = JSONFileCache(str(Path.home() / ".aws" / "cli" / "cache"))
    roles._prompter = partial(_ask_code, profile)  # noqa: SLF001  (botocore hands it over in its constructor alone)
    core.get_component("event_emitter").register_first("before-parse", refuse_stranger)
    return boto3.Session(botocore_session=core)


def _ask_code(profile: str, prompt: str) -> str:
    """An MFA code from whoever is at the keyboard. AwsError if nobody is."""
    if not sys.stdin or not sys.stdin.isatty():
        raise AwsError(
            f"Profile {profile} needs an MFA code, and nobody is here to type it; run in a terminal: aws sts "
            f"get-caller-identity --profile {profile}, then this again"
        )
    return getpass(prompt)


@lru_cache
def sandbox_session(account: str, secret: str) -> boto3.Session:
    """A session with the sandbox's keys that reads no profile, no configuration file and no environment variable."""
    # held by tests/aws `'config_file'`
    alone = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    core = botocore.session.Session(session_vars=alone)
    core.set_credentials(ACCESS_KEY + account, secret)
    core.get_component("event_emitter").register_first("before-parse", refuse_stranger)
    return boto3.Session(botocore_session=core)
