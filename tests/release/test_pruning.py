"""What may be deleted, and everything that makes something stay."""

from dataclasses import replace

from tasks.release.deployed import CanonicalObject
from tasks.release.functions import LayerVersion, State
from tasks.release.journal import ADOPTED, Entry, Snapshot, Status, Who
from tasks.release.pruning import Kept, Pruning, Stock, StoredObject, kept_entries, plan_prune
from tasks.release.release import Release
from tests.examples import DEV, artifact, layer_version

OLD, MIDDLE, NEW = (artifact("core", f"1.0.{n}", str(n)) for n in range(3))
VERSIONS = tuple(layer_version(each, n) for n, each in ((3, NEW), (2, MIDDLE), (1, OLD)))
EARLY, LATE = "2026-01-01 00:00:00 UTC", "2026-02-01 00:00:00 UTC"
KEPT = Kept((NEW,), newest=LATE)


def stored(*keys: str, written: str = EARLY) -> tuple[StoredObject, ...]:
    return tuple(StoredObject(key, 10, written) for key in keys)


OBJECTS = stored(*(key for each in (OLD, MIDDLE, NEW) for key in (each.key, each.bill_key)))
STOCK = Stock({"core": VERSIONS}, OBJECTS)


def arns(found: Pruning) -> list[str]:
    return [each.version for each in found.versions]


def keys(found: Pruning) -> list[str]:
    return [each.key for each in found.objects]


def test_what_only_older_releases_had_may_go_with_its_archive_and_bill() -> None:
    found = plan_prune(DEV, STOCK, KEPT)
    assert arns(found) == ["1.0.1", "1.0.0"]
    assert keys(found) == [OLD.key, OLD.bill_key, MIDDLE.key, MIDDLE.bill_key]
    assert found.size == 60
    assert str(found) == "2 layer versions and 4 objects"


def test_a_layer_version_that_any_function_carries_stays_with_its_archive() -> None:
    found = plan_prune(DEV, replace(STOCK, attached={VERSIONS[2].arn: ("other",)}), KEPT)
    assert (arns(found), keys(found)) == (["1.0.1"], [MIDDLE.key, MIDDLE.bill_key])


def test_a_layer_version_that_is_granted_stays_with_its_archive() -> None:
    found = plan_prune(DEV, STOCK, KEPT, {VERSIONS[1].arn: "it is granted"})
    assert found.kept == (f"{VERSIONS[1].arn}, since it is granted",)
    assert (arns(found), keys(found)) == (["1.0.0"], [OLD.key, OLD.bill_key])


def test_a_layer_version_of_nobodys_making_stays() -> None:
    foreign = LayerVersion(VERSIONS[2].arn, "by hand", "core")
    found = plan_prune(DEV, replace(STOCK, versions={"core": (*VERSIONS[:2], foreign)}), KEPT)
    assert arns(found) == ["1.0.1"]


def test_what_is_newer_than_the_newest_release_stays() -> None:
    assert keys(plan_prune(DEV, Stock(objects=stored(OLD.key, written=LATE)), KEPT)) == []
    assert arns(plan_prune(DEV, STOCK, replace(KEPT, artifacts=(OLD,)))) == []


def test_where_nothing_was_ever_deployed_everything_stays() -> None:
    assert plan_prune(DEV, STOCK, Kept()) == Pruning()


def test_what_was_kept_from_before_stays_while_an_entry_or_a_function_needs_it() -> None:
    package, contents, running, other = (letter * 64 for letter in "abcd")
    before = Snapshot({"news-ingest-dev": State("python3.12", "x86_64", "h.run", (), package)})
    objects = stored(f"before/{package}.zip", f"before/{contents}", f"before/{running}.zip", f"before/{other}")
    stock = Stock(objects=objects, packages=frozenset({running}))
    assert keys(plan_prune(DEV, stock, replace(KEPT, before=(before,)))) == [f"before/{contents}", f"before/{other}"]


def test_other_folders_and_names_are_not_ours_to_delete() -> None:
    names = (
        "layers/another-1.0.0.zip",
        "layers/core-api-1.0.0.zip",
        "functions/other-1.zip",
        "releases/x.json",
        "core",
    )
    assert keys(plan_prune(DEV, replace(STOCK, objects=stored(*names)), KEPT)) == []


def test_where_it_is_not_known_who_needs_what_everything_stays() -> None:
    assert plan_prune(DEV, replace(STOCK, unknown=("no",)), KEPT) == Pruning()
    found = plan_prune(DEV, replace(STOCK, shared="another project"), KEPT)
    assert (arns(found), keys(found)) == (["1.0.1", "1.0.0"], [])


def entry(number: int, release: str, what: str = "deploy", status: Status = Status.CONFIRMED) -> Entry:
    return Entry(number, what, release, "", "", Who(), "", status, release, after=Snapshot())


def numbers(*entries: Entry, keep: int = 2) -> set[int]:
    return {each.number for each in kept_entries("dev", entries, keep)}


def test_the_last_releases_stay_each_counted_once() -> None:
    assert numbers(entry(5, "c"), entry(4, "c"), entry(3, "b"), entry(2, "a"), entry(1, "z")) == {5, 3}


def test_what_runs_after_a_publication_or_a_deployment_that_was_undone_stays() -> None:
    undone = replace(entry(3, "c", status=Status.UNDONE), runs="a")
    assert numbers(undone, entry(2, "b"), entry(1, "a"), keep=1) == {2, 1}


def test_the_way_back_stays_also_where_it_is_farther_than_the_last_releases() -> None:
    back = replace(entry(4, "a", "rollback"), release="a", runs="a")
    found = numbers(back, entry(3, "c"), entry(2, "a"), entry(1, "z"), keep=2)
    assert found == {4, 3, 1}


def test_a_deployment_that_is_not_over_needs_what_it_had_noted() -> None:
    assert 3 in numbers(entry(3, "c", status=Status.OPEN), entry(2, "b"), entry(1, "a"), keep=1)


def test_what_was_adopted_is_no_release_to_keep() -> None:
    assert numbers(replace(entry(3, ADOPTED, "adopt")), entry(2, "b"), entry(1, "a"), keep=1) == {2}


def test_where_this_environments_own_journal_says_nothing_everything_stays() -> None:
    assert plan_prune(DEV, STOCK, Kept((NEW,))) == Pruning()


def test_the_record_of_a_release_whose_archives_go_goes_with_them() -> None:
    (old, new) = stored("releases/core-1.0.0/a.json", "releases/core-1.0.2/b.json")
    stock = replace(STOCK, records=((old, Release((OLD,), "")), (new, Release((NEW,), ""))))
    assert keys(plan_prune(DEV, stock, KEPT))[-1] == old.key
    assert new.key not in keys(plan_prune(DEV, stock, KEPT))


def test_configuration_that_was_kept_from_before_stays_while_an_entry_needs_it() -> None:
    before = Snapshot({}, {"canonical/a.yaml": CanonicalObject("b" * 64)})
    stock = Stock(objects=stored(f"before/{'b' * 64}", f"before/{'c' * 64}"))
    assert keys(plan_prune(DEV, stock, replace(KEPT, before=(before,)))) == [f"before/{'c' * 64}"]


def test_a_pruning_that_was_cut_off_is_no_deployment_to_keep() -> None:
    cut = replace(entry(3, "", "prune", Status.OPEN), runs="b")
    assert numbers(cut, entry(2, "b"), entry(1, "a"), keep=1) == {2, 1}
