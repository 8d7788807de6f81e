"""Who uses an artifact, from values alone."""

from dataclasses import replace

from tasks.release.journal import Status
from tasks.release.release import Release
from tasks.release.uses import uses
from tests.examples import CORE, DEPS, package
from tests.release.test_findings import INGEST, LETTER, PACKAGED, entry, evidence

OTHER = Release((DEPS,), "abc1234", PACKAGED.functions)
RECORDS = {PACKAGED.key: PACKAGED, OTHER.key: OTHER}


def test_a_layer_is_used_by_the_releases_and_deployments_that_have_it_and_the_functions_that_carry_it() -> None:
    entries = {
        3: replace(entry(3), release=OTHER.key),
        2: replace(entry(2), what="publish"),
        1: entry(),
    }
    for digest in (CORE.tree, CORE.tree[:8], CORE.sha256[:8]):
        assert uses(evidence(entries=entries), RECORDS, digest) == (
            [
                f"dev: release {PACKAGED} ({PACKAGED.key})",
                f"dev: entry 1, deploy, {entry().begun}, by anna, {Status.CONFIRMED.value}",
                f"dev: runs on {INGEST}, {LETTER}",
            ],
            CORE,
        )


def test_a_package_is_found_by_its_digest_also_where_no_release_has_it() -> None:
    assert uses(evidence(), RECORDS, package().sha256)[0][-1] == f"dev: runs on {INGEST}"
    assert uses(evidence(), RECORDS, "00000000") == ([f"dev: runs on {LETTER}"], None)


def test_a_digest_that_nobody_has_is_used_by_nobody() -> None:
    assert uses(evidence(), RECORDS, "ffffffff") == ([], None)
