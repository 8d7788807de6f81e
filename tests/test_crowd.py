"""Several deployers at once, of the same and of different releases, and promotions beside them: seeded rounds."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from tasks.errors import ReleaseError
from tasks.release.journal import Status
from tests.fake_aws import FakeAws
from tests.worlds import FIRST, HERE, NEXT, SECOND, Actor, broken_promises, goal, runs, world

ROUNDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 50))]


def jostle(seed: int) -> Callable[[str, str, str], None]:
    """A gate that lets everything through, each after a moment of its own."""
    chance, lock = random.Random(seed), threading.Lock()  # noqa: S311

    def gate(_actor: str, _operation: str, _when: str) -> None:
        with lock:
            pause = chance.random() / 500
        time.sleep(pause)

    return gate


def at_once(acts: Sequence[Callable[[], None]]) -> list[str]:
    """Run commands side by side; what each said."""
    said: list[str] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except ReleaseError as error:
            said.append(str(error))
        else:
            said.append("done")

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def check(aws: FakeAws, said: list[str]) -> None:
    """One journal without gaps, one winner at a time, losers told why, all functions on the last entry's release."""
    assert broken_promises(aws) == []
    newest = Actor("reader", aws).entries()[0]
    assert newest.status is Status.CONFIRMED
    assert runs(aws) == {newest.release}
    assert "done" in said
    for text in said:
        assert text == "done" or "is held by" in text, text


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("crowd", [2, 8])
def test_deployers_at_once_take_turns_and_those_who_lose_are_told_who_holds_it(seed: int, crowd: int) -> None:
    aws = world(jostle(seed))
    aws.pending = 0.5
    releases = [FIRST if seed % 2 else random.Random(seed * 100 + n).choice([FIRST, SECOND]) for n in range(crowd)]  # noqa: S311
    check(aws, at_once([partial(Actor(f"D{number}", aws).deploy, of) for number, of in enumerate(releases)]))
    for layer in ("core", "deps"):
        versions = [each["Description"].split()[0] for each in aws.layers[f"news-{layer}-dev"]]
        assert len(set(versions)) == len(versions), "one release was published twice"


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_deployment_beside_promotions_disturbs_neither(seed: int) -> None:
    aws = world()
    Actor("before", aws).deploy(FIRST)
    aws.gate, aws.pending = jostle(seed), 0.5
    promotion = goal(FIRST, NEXT, HERE, "promote")
    acts: list[Callable[[], None]] = [
        lambda: Actor("D", aws).deploy(SECOND),
        lambda: Actor("P", aws, NEXT).carry_out(promotion),
        lambda: Actor("Q", aws, NEXT).carry_out(promotion),
    ]
    at_once(acts)
    assert broken_promises(aws) == broken_promises(aws, NEXT) == []
    assert (runs(aws), runs(aws, NEXT)) == ({SECOND.key}, {FIRST.key})
