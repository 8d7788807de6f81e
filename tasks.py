"""Entry point for `inv`: hands over to the `tasks` package.

Invoke finds this file before the folder `tasks/` and registers it under the name `tasks`, which would hide
the package (https://github.com/pyinvoke/invoke, loader.py). Taking the name back lets inv, pytest and mypy
see one and the same package.
"""

import os
import sys
from pathlib import Path

# Invoke forbids bytecode unless --write-pyc is given; compiling this package each time takes longer than most commands
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
sys.modules.pop("tasks", None)

try:
    from tasks import namespace, unfit  # the package, now that its name is free
    from tasks.commands import check_line, keep_dashes
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] == "tasks":
        raise
    beside = "requirements-inv.txt"  # as `inv init` calls it where a project has a requirements.txt
    file = beside if (Path(__file__).parent / beside).exists() else "requirements.txt"
    advice = f"run: {sys.executable} -m pip install -r {file}"
    sys.exit(f"[ERROR] {error.name} is not installed for this Python; {advice}")
keep_dashes()
check_line(namespace, sys.argv[1:], unfit)
__all__ = ["namespace"]
