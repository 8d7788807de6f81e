"""Entry point for `inv`: hands over to the `tasks` package.

Invoke finds this file before the folder `tasks/` and registers it under the name `tasks`, which would hide
the package (https://github.com/pyinvoke/invoke, loader.py). Taking the name back lets inv, pytest and mypy
see one and the same package.
"""

import os
import sys

# Invoke forbids bytecode unless --write-pyc is given; compiling this package each time takes longer than most commands
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
sys.modules.pop("tasks", None)

from tasks import namespace  # noqa: E402  (the package, now that its name is free)

__all__ = ["namespace"]
