"""Asks whoever is at the keyboard whether they agree."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.errors import PlanError, listed
from tasks.output.lines import say
from tasks.output.terminal import rest


@dataclass(frozen=True)
class Consent:
    """Asks once, after what is asked about was shown; not where somebody agreed beforehand, nor on the sandbox."""

    rehearsal: bool
    beforehand: bool = False

    def __call__(self, questions: Sequence[str]) -> None:
        """PlanError if nobody is there to be asked, or they do not agree."""
        if questions and self.rehearsal and not self.beforehand:
            say("[INFO] On the sandbox nobody is asked")
        if not questions or self.rehearsal or self.beforehand:
            return
        # held by tests/test_rules.py
        if not sys.stdin or not sys.stdin.isatty():
            raise PlanError(
                listed("Somebody must agree, and nobody is here to be asked; run this in a terminal:", questions)
            )
        rest()
        try:
            answer = input("Go on? [y/N] ")
        except EOFError:
            answer = ""
        # held by tests/test_rules.py
        if answer.strip().lower() not in ("y", "yes"):
            raise PlanError("Nobody agreed, so nothing was changed")
