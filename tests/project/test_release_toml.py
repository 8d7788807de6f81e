import pytest

from tasks.errors import ConfigError
from tasks.project.release_toml import parse_project
from tests.examples import PROJECT, RELEASE_TOML


def test_names_are_spelled_out_for_each_environment() -> None:
    stage = PROJECT.environment("stage")
    assert stage.layer_names == {"core": "news-core-stage", "deps": "news-deps-stage"}
    assert stage.function_names == {"ingest": "news-ingest-stage", "letter": "news-letter-stage"}


def test_an_environment_knows_the_one_before_it() -> None:
    assert [environment.previous for environment in PROJECT.environments.values()] == ["", "dev", "stage"]


def test_runtimes_are_sorted_so_that_their_order_in_the_file_changes_nothing() -> None:
    turned = RELEASE_TOML.replace('["python3.11", "python3.12"]', '["python3.12", "python3.11"]')
    assert parse_project(turned).runtimes == PROJECT.runtimes


def test_an_unknown_environment_lists_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="Unknown environment 'qa'; use --env with one of: dev, stage, prod"):
        PROJECT.environment("qa")


def test_an_unknown_layer_lists_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="Unknown layer 'x'; use --layer with one of: core, deps"):
        PROJECT.select("x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[project]", "[project", "not valid TOML"),
        ("[project]", "[projet]", r"line 2: \[projet\] is no table .* \(did you mean project\?\)"),
        (
            'source = "src/core"',
            'sources = "src/core"',
            r"\[layers.core\] has an unknown key 'sources' \(did you mean source\?\)",
        ),
        ('source = "src/core"', "", "either a source or requirements"),
        ('source = "src/core"', 'source = "src/core"\nrequirements = "r.txt"', "and not both"),
        ('version_key = "CORE_VERSION"', "", r"\[layers.core\] needs a version_key"),
        ('version_key = "CORE_VERSION"', "version_key = 3", 'version_key must be text in "quotes"'),
        ('"CORE_VERSION"', '"DEPS_VERSION"', "version_key 'DEPS_VERSION' stands there twice"),
        ('"news-core-{env}"', '"news-deps-{env}"', "name 'news-deps-{env}' stands there twice"),
        ("[functions.ingest]", "[functions.core]", "table 'core' stands there twice"),
        ('name = "news"', 'name = "a\\nb"', "name 'a.nb' must be a name without"),
        ('name = "news"', 'name = "../x"', "name '../x' must be a name without"),
        ('name = "news"', 'name = "\\u001b[2J"', "must be a name without"),
        ('"news-code-dev"', '"news..dev"', "bucket 'news..dev' must be a name that S3 gives"),
        ('"news-code-dev"', '"10.0.0.1"', "must be a name that S3 gives"),
        ('"news-code-dev"', '"xn--news"', "must be a name that S3 gives"),
        ('"news-code-dev"', '"news-s3alias"', "must be a name that S3 gives"),
        ('runtime = "python3.12"', 'runtime = "python3.12"\nsmoke = "NaN"', "smoke 'NaN' must be a payload as JSON"),
        ('runtime = "python3.12"', f'runtime = "python3.12"\nsmoke = "{"[" * 100_000}"', "must be a payload as JSON"),
        ('runtime = "python3.12"', 'runtime = "python3.12"\nhandler = "a b"', "handler 'a b' must be what AWS takes"),
        ('source = "src/core"', 'source = "../core"', "path '../core' must be below the repository"),
        ('source = "src/core"', 'source = "."', "path '.' must be below the repository"),
        ('source = "src/core"', 'source = "src\\\\core"', "with forward slashes"),
        (
            'source = "src/core"',
            'source = "src/core"\nmax_zipped_mb = "5"',
            "max_zipped_mb must be a whole number above 0",
        ),
        (
            'runtime = "python3.12"',
            'runtime = "python3.12"\nsource = "fn"',
            "handler '' must be a module and a function",
        ),
        ('"news-core-{env}"', '"news-core"', "name 'news-core' must be"),
        ('"news-core-{env}"', '"news core {env}"', "must be up to 52 letters"),
        ('["python3.11", "python3.12"]', '["python2.7"]', "runtime 'python2.7' must be one of"),
        ('["python3.11", "python3.12"]', "[]", "runtimes must be a list of texts in brackets, and not empty"),
        (
            'runtime = "python3.12"',
            'runtime = "nodejs20.x"',
            r"\[functions.ingest\] runtime 'nodejs20.x' must be one of the",
        ),
        ('runtime = "python3.12"', 'runtime = "python3.13"', "must be one of the project's runtimes"),
        ('runtime = "python3.12"', 'runtime = "python3.12"\ntimeout = 901', "timeout '901' must be 1 to 900 seconds"),
        ('runtime = "python3.12"', 'runtime = "python3.12"\nmemory = 64', "memory '64' must be 128 to 10240 MB"),
        ('runtime = "python3.12"', 'runtime = "python3.12"\ntimeout = true', "timeout must be a whole number above 0"),
        ('["python3.11", "python3.12"]', "[[1]]", "runtimes must be a list of texts"),
        ("[configuration]", '[allowed]\n"a.pem" = ""\n[configuration]', "must be the reason why this file may ship"),
        ('"111122223333"', '"1234"', "account '1234' must be 12 digits"),
        ('"eu-west-3"', '"Paris"', "region 'Paris' must be a region such as eu-west-3"),
        ('"news-code-dev"', '"News_Code"', "must be a name that S3 gives"),
        ("[environments.dev]", "[environments.Dev]", "name of the table 'Dev'"),
        ('name = "news"', 'name = "news"\narchitecture = "mips"', "must be x86_64 or arm64"),
    ],
)
def test_what_cannot_work_is_refused_by_table_and_key(old: str, new: str, message: str) -> None:
    assert old in RELEASE_TOML
    with pytest.raises(ConfigError, match=message):
        parse_project(RELEASE_TOML.replace(old, new, 1))


def test_a_project_without_functions_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match=r"needs at least one \[layers.NAME\] table"):
        parse_project('[project]\nname = "x"\nruntimes = ["python3.12"]\n')


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('source = "src/core"', 'sorce = "src/core"', 'sorce = "src/core"'),
        ('version_key = "CORE_VERSION"', "", "[layers.core]"),
        ('"eu-west-3"', '"Paris"', 'region = "Paris"'),
        ('name = "news-core-{env}"', 'name="news core {env}"', 'name="news core {env}"'),
        ("[environments.dev]", "[ environments . Dev ]", "[ environments . Dev ]"),
    ],
)
def test_the_line_is_named_on_which_something_is_wrong(old: str, new: str, line: str) -> None:
    text = RELEASE_TOML.replace(old, new, 1)
    number = text.splitlines().index(line) + 1
    with pytest.raises(ConfigError, match=rf"release.toml, line {number}: \["):
        parse_project(text)


@pytest.mark.parametrize(("name", "advice"), [("stag", r" \(did you mean stage\?\);"), ("qa", "'qa';")])
def test_what_was_probably_meant_is_asked(name: str, advice: str) -> None:
    with pytest.raises(ConfigError, match=advice):
        PROJECT.environment(name)
