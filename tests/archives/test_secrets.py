"""Names and contents that must never ship, and what only looks like them."""

import pytest

from tasks.archives.secrets import check_secrets, is_secret
from tasks.errors import BuildError

NAMES = [
    ".secrets",
    ".secret",
    "credentials.yml",
    "credentials.yaml",
    "credentials.toml",
    "terraform.tfvars",
    "prod.auto.tfvars",
    ".kube/config",
    ".docker/config.json",
    ".vault-token",
    ".my.cnf",
    "x-firebase-adminsdk-ab12.json",
    "firebase-adminsdk-x.json",
    ".pgpass",
    ".s3cfg",
    ".boto",
    ".dockercfg",
    "kaggle.json",
    ".databrickscfg",
    "local.settings.json",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".netrc",
    "id_ed25519",
    "server.key",
    "a.p12",
    "a.pfx",
    "a.kdbx",
    "a.jks",
    "a.ovpn",
    "a.ppk",
    ".htpasswd",
    "secrets.yml",
    ".secrets.toml",
    "passwords.txt",
    ".bash_history",
    ".psql_history",
    ".aws/credentials",
    ".ssh/config",
    ".azure/accessTokens.json",
    ".config/gcloud/credentials.db",
    ".config/gh/hosts.yml",
    ".m2/settings.xml",
    ".gem/credentials",
    ".cargo/credentials.toml",
    ".composer/auth.json",
    ".dbt/profiles.yml",
    "service-account-prod.json",
    "client_secret_1.json",
    "application_default_credentials.json",
    "anna_accessKeys.csv",
    "rootkey.csv",
    "terraform.tfstate.backup",
    "kubeconfig",
    "prod.kubeconfig",
    "rclone.conf",
    "sftp-config.json",
    "token.pickle",
    "wallet.dat",
    "AuthKey_AB12.p8",
    ".env.production",
    "prod.env",
    ".envrc",
    "gha-creds-1a.json",
    "api_keys.json",
]
FINE = [
    "handler.py",
    "config.yaml",
    "settings.py",
    "secrets.py",
    "credentials.py",
    "tokens.py",
    "tokenizer.json",
    "special_tokens_map.json",
    ".secrets.baseline",
    "docker/config.json",
    "kube/config",
    "history.md",
    "passwords.py",
    "keys.py",
    "environment.py",
    "env.py",
    "README.md",
    "kubeconfig.py",
    "public.asc",
    "config.json",
    "database.yml",
    "schema.json",
    "keyboard.json",
    "tokens.json",
    "monkey.json",
    ".dockerignore",
    ".gitignore",
    ".gitkeep",
    "authorized_keys",
    "secretsmanager.json",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_there_to_keep_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret(f"src/app/{name}")


@pytest.mark.parametrize("name", FINE)
def test_an_ordinary_file_is_not(name: str) -> None:
    assert not is_secret(f"src/app/{name}")


def made(letters: str, length: int) -> str:
    """So many characters of some letters: no secret stands in this file."""
    return (letters * length)[:length]


DIGITS, LOWER, MIXED = "0123456789abcdef", "abcdefghij0123456789", "aB3dE6gH9jK2mN5pQ8sT"
CONTENTS = {
    "OpenAI": f"sk-proj-{made(MIXED, 48)}",
    "OpenAI, older": f"sk-{made(MIXED, 20)}T3Blbk" + f"FJ{made(MIXED, 20)}",
    "OpenAI, oldest": f"sk-{made(MIXED, 48)}",
    "address": "url = https://anna:" + "s3cr3t-Pa55@git.company.eu/x.git",
    "address without user": "redis://:" + "s3cr3tPa55@cache.company.eu:6379/0",
    "address with an escape": "amqps://anna:" + "p%40ss%2Fw0rd@mq.company.eu",
    "Slack": "xoxb-" + f"123456789012-1234567890123-{made(MIXED, 24)}",
    "Slack's webhook": "https://hooks.slack." + f"com/services/T{made('A1', 9)}/B{made('A1', 9)}/{made(MIXED, 24)}",
    "Google": f"AIza{made(MIXED, 35)}",
    "Google's client": f"GOCSPX-{made(MIXED, 28)}",
    "Azure": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={made(MIXED, 86)}==",
    "Azure's application": f"abc8Q~{made(MIXED, 34)}",
    "Hugging Face": f"hf_{made('aBcDeFgHiJ', 34)}",
    "AWS session": f"aws_session_token = {made(MIXED, 120)}",
    "AWS session, by its beginning": "IQoJb3" + f"JpZ2lu{made(MIXED, 120)}",
    "GitLab": f"glpat-{made(MIXED, 20)}",
    "Stripe": f"sk_live_{made(MIXED, 24)}",
    "Telegram": f"123456789:AA{made(MIXED, 33)}",
    "DigitalOcean": f"dop_v1_{made(DIGITS, 64)}",
    "Databricks": f"dapi{made(DIGITS, 32)}",
    "Docker": f"dckr_pat_{made(MIXED, 27)}",
    "Twilio": f"SK{made(DIGITS, 32)}",
    "Vault": f"hvs.{made(MIXED, 90)}",
    "PuTTY": "PuTTY-User-Key-" + "File-3: ssh-ed25519",
    "age": f"AGE-SECRET-KEY-1{made('QPZRY9X8', 58)}",
}


@pytest.mark.parametrize("text", CONTENTS.values(), ids=CONTENTS)
def test_a_secret_is_known_by_its_form(text: str) -> None:
    with pytest.raises(BuildError, match="a.py, line 2: looks like"):
        check_secrets("a.py", f"# one\nX = '{text}'\n".encode(), ())


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:password@db.company.eu/x",
        "postgres://user:{password}@db",
        "https://$USER:$PASSWORD@host",
        "mysql://root:root@127.0.0.1/test",
        "https://anna:s3cret@example.com/",
        "https://anna:s3cret@git.example.org/",
        "amqp://guest:guest@localhost:5672//",
        "https://<user>:<password>@host",
        "ftp://anna:%s@host",
        "https://user:xxxx@company.eu",
        "http://host:8080/path?mail=a@b.eu",
        "arn:aws:lambda:eu-west-3:123456789012:function:x",
        "sk-learn and sk-image",
        "hf_hub_download(repo)",
        "SG.com",
        "key-value",
        "task-0123456789abcdef0123456789abcdef01234567",
        "os.environ['AWS_SESSION_TOKEN']",
        "secret_key = get_secret('name')",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    check_secrets("a.py", text.encode(), ())
