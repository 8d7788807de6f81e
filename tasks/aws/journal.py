"""The journal in the environment's bucket: read, taken, renewed and closed by conditional writes alone.

S3's conditional writes are atomic and its reads and listings strongly consistent; what is judged by time is judged by
S3's own clock. Every writing of an entry has bytes never written before, since an ETag is made of contents. After an
error the entry itself is looked at: mine is what carries my run's nonce.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from tasks.aws.connection import Connection
from tasks.aws.refusals import BUSY, code_of, is_lost
from tasks.aws.who import has_ended
from tasks.errors import AwsError, PlanError, TakenError
from tasks.jobs import results
from tasks.release.entries import read_entry, write_entry
from tasks.release.journal import (
    PREPARING,
    Entry,
    Quiet,
    Snapshot,
    Standing,
    Status,
    Who,
    refuse_held,
    refuse_unfinished,
    standing,
)
from tasks.release.keys import entry_key, entry_number, next_entry

RENEW_EVERY = 15.0
_PATIENCE, _ATTEMPTS = 20, 8
_GONE = ("NoSuchKey", "404")
_LOOK = (*_GONE, *BUSY, "PreconditionFailed", "412", "ConditionalRequestConflict", "SlowDown")
"""Refusals after which the entry itself must be looked at."""


@dataclass(frozen=True)
class Seen:
    """An entry as it was read: its ETag, its age in seconds by S3's clock, and when S3 says it was written."""

    entry: Entry
    etag: str
    age: float
    written: datetime


@dataclass(frozen=True)
class Journal:
    """One environment's journal."""

    connection: Connection
    project: str
    me: Who
    is_gone: Callable[[Who], bool] = field(default_factory=lambda: has_ended)

    @property
    def prefix(self) -> str:
        """Where its entries are: two projects, or two environments, in one bucket do not meet."""
        return f"journal/{self.project}/{self.connection.environment.name}/"

    def newest(self) -> Entry | None:
        """The newest entry; None if nothing was ever deployed."""
        seen = self.look()
        return seen.entry if seen else None

    def entries(self, limit: int = 20) -> list[Entry]:
        """The newest entries that can be read, newest first."""
        return [entry for entry in self.read(limit).values() if entry]

    def read(self, limit: int = 20) -> dict[int, Entry | None]:
        """The newest entries by number, newest first; None for one that is damaged, which hinders nobody."""
        numbers = self.numbers(limit)
        return dict(zip(numbers, results([partial(self._readable, number) for number in numbers]), strict=True))

    def _readable(self, number: int) -> Entry | None:
        try:
            seen = self.get(number)
        except PlanError:
            return None
        return seen.entry if seen else None

    def look(self) -> Seen | None:
        """The newest entry as it is now."""
        numbers = self.numbers(1)
        return self.get(numbers[0]) if numbers else None

    def take(self, entry: Entry, quiet: Quiet | None = None) -> "Held":
        """Hold the environment with a new entry. PlanError while somebody else does.

        Where nobody deployed while the environment was looked at, the next entry is created right away: if that works,
        nobody has deployed since either, and `before` is what was seen. What a deployment that was cut off had noted as
        `before` is part of the new entry from the start: observed afresh it would be the mixture that was left.
        """
        if quiet and quiet.undisturbed:
            mine = self._next(entry, quiet.newest, entry.before)
            if held := self._create(mine, taken_over=False, undisturbed=True):
                return held
        for _ in range(_ATTEMPTS):
            seen = self.look()
            stands = standing(seen.entry if seen else None, seen.age if seen else 0, gone=self._gone(seen))
            if seen and stands is Standing.HELD:
                raise refuse_held(self.connection.environment.name, seen.entry, seen.age)
            stale = stands in {Standing.STALE, Standing.ABANDONED}
            taken_over = stale and seen is not None and seen.entry.unfinished
            if seen and taken_over and seen.entry.release != entry.release:
                raise refuse_unfinished(self.connection.environment.name, seen.entry)
            # held by tests/test_protocol.py tests/aws
            if seen and stands is Standing.STALE and not self._abandon(seen):
                continue
            # held by tests/test_protocol.py tests/aws
            before = seen.entry.before if seen and taken_over else None
            mine = self._next(entry, seen.entry if seen else None, before)
            if held := self._create(mine, taken_over=taken_over):
                return held
        raise AwsError(f"{self.connection.environment.name} could not be taken; run the same command again")

    def _next(self, entry: Entry, newest: Entry | None, before: Snapshot | None) -> Entry:
        """The entry that follows the newest one, with what is carried on from it."""
        mine = replace(entry, number=1, before=before, who=self.me, begun=_now())
        if newest is None:
            return mine
        ours = tuple(sorted({*entry.ours, *newest.ours}))
        mine = replace(mine, number=next_entry(self.prefix, newest.number), runs=newest.runs, ours=ours)
        emergency = newest.unadopted if entry.what == "undo" else newest.standing_emergency
        # held by tests/test_rules.py tests/test_adopt.py tests/aws/test_journal.py `after=newest.after`
        # held by tests/test_rules.py tests/test_adopt.py tests/aws/test_journal.py `unadopted=emergency`
        return replace(mine, after=newest.after, unadopted=emergency)

    def _gone(self, seen: Seen | None) -> bool:
        return seen is not None and seen.entry.status is Status.OPEN and self.is_gone(seen.entry.who)

    def _abandon(self, seen: Seen) -> bool:
        """Mark an entry whose holder is gone; False if it may be something else by now, and must be looked at again."""
        marked = replace(seen.entry, status=Status.ABANDONED, counter=seen.entry.counter + 1, ended=_now())
        return bool(self.put(marked, IfMatch=seen.etag))

    def _create(self, entry: Entry, *, taken_over: bool, undisturbed: bool = False) -> "Held | None":
        """The new entry; None if somebody else created it."""
        # held by tests/test_protocol.py tests/aws `IfNoneMatch='*'`
        etag = self.put(entry, IfNoneMatch="*")
        if not etag:
            seen = self.get(entry.number)
            # held by tests/test_protocol.py tests/aws `seen.entry.who.nonce != self.me.nonce`
            if seen is None or seen.entry.who.nonce != self.me.nonce:
                return None
            etag = seen.etag
        return Held(self, entry, etag, taken_over=taken_over, undisturbed=undisturbed)

    def put(self, entry: Entry, **condition: str) -> str:
        """Write an entry once, on a condition; its ETag, or nothing if only a look can tell what became of it."""
        here = self.connection.environment
        with self.connection.doing(f"write entry {entry.number} of the journal"):
            try:
                answer = self.connection.client("s3", _PATIENCE).put_object(
                    Bucket=here.bucket,
                    Key=entry_key(self.prefix, entry.number),
                    Body=write_entry(entry),
                    ContentType="application/json",
                    **self.connection.owner,
                    **condition,
                )
            except (ClientError, BotoCoreError) as error:
                if is_lost(error) or code_of(error) in _LOOK:
                    return ""
                raise
        return str(answer.get("ETag", ""))

    def numbers(self, limit: int) -> list[int]:
        """The numbers of the newest entries, whatever else lies among them."""
        here, found, last = self.connection.environment, list[int](), self.prefix
        with self.connection.doing(f"list s3://{here.bucket}/{self.prefix}"):
            while len(found) < limit:
                answer = self.connection.s3.list_objects_v2(
                    Bucket=here.bucket, Prefix=self.prefix, StartAfter=last, MaxKeys=limit, **self.connection.owner
                )
                keys = [item["Key"] for item in answer.get("Contents", [])]
                found += [number for key in keys if (number := entry_number(key))]
                if len(keys) < limit:
                    break
                last = keys[-1]
        return found[:limit]

    def get(self, number: int) -> Seen | None:
        """One entry as it is now; None if there is none. PlanError if it is damaged."""
        here, key = self.connection.environment, entry_key(self.prefix, number)
        with self.connection.doing(f"read s3://{here.bucket}/{key}"):
            try:
                answer = self.connection.s3.get_object(Bucket=here.bucket, Key=key, **self.connection.owner)
            except ClientError as error:
                if code_of(error) in _GONE:
                    return None
                raise
            with closing(answer["Body"]) as body:
                entry = read_entry(body.read(), f"s3://{here.bucket}/{key}")
            sent = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
            now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
            written = answer["LastModified"]
            return Seen(entry, answer["ETag"], (now - written).total_seconds(), written)


class Held:
    """An environment that is ours while its newest entry is ours and open.

    Before every write to the environment the entry is renewed, with success, after what the write rests on was read:
    whoever was asleep for longer than the term fails there, since whoever took over has changed the entry. Creating it
    is the first such sign of life. `undisturbed` if nobody has deployed since before the environment was looked at.
    """

    def __init__(
        self, journal: Journal, entry: Entry, etag: str, *, taken_over: bool, undisturbed: bool = False
    ) -> None:
        self.entry, self.taken_over, self.undisturbed = entry, taken_over, undisturbed
        self._journal, self._etag = journal, etag
        self._begun = self._succeeded = 1
        self._sent_close = False
        self._mutex, self._over = threading.Lock(), threading.Event()
        self._beating: threading.Thread | None = None

    @property
    def mark(self) -> int:
        """This moment, among the signs of life."""
        return self._begun

    def renew(self, since: int | None = None) -> None:
        """Give a sign of life that begins after this call, unless there was one since the `mark` that is given.

        TakenError if the environment is not ours any more. Writes that wait for one at the same time share it.
        """
        asked = self._begun if since is None else since
        with self._mutex:
            self._check_open()
            # held by tests/test_protocol.py tests/aws `asked`
            if self._succeeded > asked:
                return
            self._begun += 1
            self._write(lambda entry: entry)
            self._succeeded = self._begun

    def note(self, before: Snapshot) -> None:
        """Write what was there, before the first change."""
        with self._mutex:
            self._check_open()
            self._begun += 1
            self._write(lambda entry: replace(entry, before=before))
            self._succeeded = self._begun

    def close(self, status: Status, after: Snapshot | None, reason: str = "") -> None:
        """Say how it ended. Once that was sent it may have taken effect, so it is looked at or sent again, no more."""
        self.stop()
        runs, left = self.entry.runs, self.entry.after
        if status is Status.CONFIRMED and self.entry.what not in PREPARING:
            runs, left = self.entry.release, after
        facts = {"status": status, "runs": runs, "after": left, "ended": _now(), "reason": reason[:500]}
        with self._mutex:
            self._check_open()
            self._sent_close = True
            self._write(lambda entry: replace(entry, **facts))  # type: ignore[arg-type]

    def _check_open(self) -> None:
        """TakenError once the entry was closed: what is closed never changes, and nothing more may be written."""
        if self._sent_close:
            raise TakenError(f"Entry {self.entry.number} of the journal is closed, so nothing more is written")

    def stop(self) -> None:
        """Give no more signs of life."""
        self._over.set()
        if self._beating:
            self._beating.join()

    def __enter__(self) -> Self:
        """Give a sign of life every 15 seconds, so that waiting is not taken for being gone."""
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _beat(self) -> None:
        while not self._over.wait(RENEW_EVERY):
            try:
                self.renew()
            except Exception:  # noqa: BLE001, S112  (whoever writes next meets the same, and says so)
                continue

    def _write(self, change: Callable[[Entry], Entry]) -> None:
        """Replace the entry until that is answered with success. What is found by looking is never a new term."""
        for attempt in range(_ATTEMPTS):
            # held by tests/test_protocol.py tests/aws `-> change(self.entry)`
            wanted = replace(change(self.entry), counter=self.entry.counter + 1)
            if etag := self._journal.put(wanted, IfMatch=self._etag):
                self._etag, self.entry = etag, wanted
                return
            if self._look(wanted):
                return
            self._journal.connection.clock.sleep(min(4.0, 2**attempt / 10))
        raise AwsError(
            f"Entry {self.entry.number} of the journal of {self._journal.connection.environment.name} could not be "
            "written; run the same command again in a minute",
            unsettled=True,
        )

    def _look(self, wanted: Entry) -> bool:
        """After an error: whether the entry is closed as was wanted. TakenError if it is not ours any more."""
        seen = self._journal.get(self.entry.number)
        name = self._journal.connection.environment.name
        if seen is None or seen.entry.who.nonce != self.entry.who.nonce:
            raise TakenError(f"Entry {self.entry.number} of the journal of {name} is gone; look at it before going on")
        if seen.entry.status is not Status.OPEN:
            # held by tests/test_protocol.py tests/aws `-> True`
            if seen.entry.status is wanted.status:
                self.entry = seen.entry
                return True
            raise TakenError(
                f"{name} was taken over by someone else after this command had given no sign of life for a minute; "
                f"run: inv history --env {name}"
            )
        self._etag = seen.etag
        self.entry = replace(self.entry, counter=seen.entry.counter)
        # held by tests/test_protocol.py tests/aws `-> True`
        return False


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
