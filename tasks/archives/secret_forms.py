"""What files that hold secrets are called, and what secrets look like, as far as that is certain.

As detect-secrets, gitleaks and gitrob have it: a file that exists to keep a secret, a key that is recognized by its
form. What only looks random is not here, since a false alarm at every build teaches to ignore alarms.
"""

import re

FOLDERS = (
    *(".git", ".ssh", ".aws", ".gnupg", ".kube", ".azure", ".gcloud", ".oci", ".aliyun", ".password-store"),
    *("private-keys-v1.d", ".snowsql", ".doppler"),
)
FILES = (
    *(".env", ".env.*", "*.env", ".envrc", ".git", ".git-credentials", ".netrc", "_netrc", ".npmrc", ".pypirc"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_*_sk", "id_rsa.*", "id_ed25519.*", "ssh_host_*_key"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.pkcs12", "*.p8", "*.pk8", "*.pvk", "*.ppk", "*.snk"),
    *("*.jks", "*.jceks", "*.bks", "*.keystore", "*.kdb", "*.kdbx", "*.keychain", "*.keychain-db", "*.agilekeychain"),
    *("*.psafe3", "*.1pif", "*.1pux", "*.ovpn", "*.bek", "*.tpm", "*.publishsettings", "*.cscfg", "secring.*"),
    *("credentials", "credentials.json", "credentials.csv", "credentials.y*ml", "credentials.toml", "credentials.ini"),
    *("credentials.xml", "credentials.txt", "credentials.properties", "credentials.db", "credentials.tfrc.json"),
    *(
        "secrets.json",
        "secrets.y*ml",
        "secrets.toml",
        "secrets.ini",
        "secrets.txt",
        "secrets.properties",
        "secrets.xml",
    ),
    *("secret.json", "secret.y*ml", "secret.txt", ".secret", ".secrets", ".secrets.json", ".secrets.toml"),
    *(".secrets.y*ml", ".secrets.ini", "password.txt", "passwords.txt", "passwords.csv", "passwd.txt", ".htpasswd"),
    *("token.txt", "token.json", "token.pickle", "access_token.txt", "auth_token.txt", "api_key.txt", "api_keys.txt"),
    *("api-key.txt", "apikey.txt", "apikeys.txt", "api_key.json", "api_keys.json", "apikeys.json", "keyfile.json"),
    *("service-account*.json", "service_account*.json", "serviceaccount*.json", "*firebase-adminsdk*.json"),
    *("client_secret*.json", "application_default_credentials.json", "gha-creds-*.json", "*accesskeys.csv"),
    *("rootkey.csv", "azureauth.json", "azureprofile.json", "accesstokens.json", "msal_token_cache.*"),
    *("local.settings.json", "terraform.tfstate*", "*.tfvars", "*.tfvars.json", ".terraformrc", "terraform.rc"),
    *(
        ".vault-token",
        "vault-token",
        "kubeconfig",
        "kubeconfig.y*ml",
        "*.kubeconfig",
        ".dockercfg",
        ".dockerconfigjson",
    ),
    *(".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf", ".s3cfg", ".boto", ".passwd-s3fs", "passwd-s3fs"),
    *("rclone.conf", "kaggle.json", ".databrickscfg", "sftp-config.json", ".ftpconfig", ".remote-sync.json"),
    *(
        "filezilla.xml",
        "sitemanager.xml",
        "recentservers.xml",
        "robomongo.json",
        ".esmtprc",
        ".msmtprc",
        ".fetchmailrc",
    ),
    *("secret_token.rb", "knife.rb", "master.key", "wallet.dat", "cwallet.sso", "otr.private_key", "proftpdpasswd"),
    *("ngrok.yml", ".tugboat", ".dbeaver-data-sources.xml", "credentials-config.json", "bitwarden_export*.json"),
    *(".bash_history", ".zsh_history", ".sh_history", ".python_history", ".mysql_history", ".psql_history"),
    *(".rediscli_history", ".sqlite_history", ".node_repl_history", ".irb_history"),
)
PLACES = re.compile(
    r"(^|/)(\.docker/config\.json|\.config/(gcloud|op|doctl)/.*|\.config/gh/hosts\.ya?ml|\.m2/settings(-security)?\.xml|"
    r"\.gem/credentials|\.cargo/credentials(\.toml)?|\.composer/auth\.json|\.dbt/profiles\.ya?ml|\.snowflake/.*\.toml|"
    r"\.(cache/)?huggingface/(stored_)?tokens?|\.purple/accounts\.xml|\.irssi/config|\.bundle/config)$"
)
"""Names that say it in their folder alone."""
PRIVATE = rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----\s*(?:[\r\n]|\\n)"
_BEFORE, _BEHIND = rb"(?<![A-Za-z0-9])", rb"(?![A-Za-z0-9])"
ADDRESS = "a password in an address"
INSIDE = {
    "a private key": ("-----BEGIN", PRIVATE),
    "a private key of PuTTY": ("PuTTY-User-Key-File-", rb"PuTTY-User-Key-File-\d:"),
    "a private key of age": ("AGE-SECRET-KEY-1", rb"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    "an AWS access key": ("AKIA ASIA ABIA ACCA", _BEFORE + rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + _BEHIND),
    "an AWS secret key": (
        "secret",
        rb"(?i:secret_?(?:access_?)?key)[\"']?\]?\s*(?::\s*str\s*=|[=:,])\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
    "an AWS session token": (
        "session FwoGZXIvYXdz IQoJb3JpZ2lu",
        rb"(?i:session_?token)[\"']?\]?\s*(?::\s*str\s*=|[=:,])\s*[\"']?[A-Za-z0-9/+=]{100}"
        rb"|" + _BEFORE + rb"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{80}",
    ),
    "a key of Bedrock": (
        "ABSK bedrock-api-key-",
        _BEFORE + rb"(?:ABSK[A-Za-z0-9+/]{100}|bedrock-api-key-[A-Za-z0-9+/=]{80})",
    ),
    "a token of GitHub": (
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        _BEFORE + rb"(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})",
    ),
    "a token of GitLab": (
        "glpat- gldt- glrt- glcbt- glptt- glsoat- gloas- glft- glimt- glagent-",
        _BEFORE + rb"gl(?:pat|dt|rt|cbt|ptt|soat|oas|ft|imt|agent)-[A-Za-z0-9_-]{20}",
    ),
    "a token of Slack": (
        "xox xapp-",
        _BEFORE + rb"(?:xox[a-z](?:\.xox[a-z])?-[0-9]{1,}-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{20})",
    ),
    "a webhook of Slack": (
        "hooks.slack.com",
        rb"hooks\.slack\.com/(?:services|workflows)/T[A-Za-z0-9_]{8,}/[A-Za-z0-9_]{8,}/[A-Za-z0-9_]{20}",
    ),
    "a webhook of Discord": ("/webhooks/", rb"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60}"),
    "a key of Stripe": ("k_live_ whsec_", _BEFORE + rb"(?:[rs]k_live_[A-Za-z0-9]{20}|whsec_[A-Za-z0-9+/]{32})"),
    "a key of Google": ("AIza", _BEFORE + rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    "a token of Google": (
        "GOCSPX- ya29. 1//0",
        _BEFORE + rb"(?:GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{40}|1//0[A-Za-z0-9_-]{60})",
    ),
    "a key of Azure": (
        "AccountKey= SharedAccessKey= 8Q~ SharedAccessSignature &sig= ?sig=",
        rb"AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}=|[?&]sig=[A-Za-z0-9%]{43,}%3[dD]"
        rb"|" + _BEFORE + rb"[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}",
    ),
    "a token of Hugging Face": ("hf_ api_org_", _BEFORE + rb"(?:hf_|api_org_)[A-Za-z0-9]{34}" + _BEHIND),
    "a key of OpenAI": (
        "sk-",
        _BEFORE + rb"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"
        rb"|[A-Za-z0-9]{48}" + _BEHIND + rb")",
    ),
    "a key of Anthropic": ("sk-ant-", _BEFORE + rb"sk-ant-[A-Za-z0-9_-]{20}"),
    "a key of OpenRouter": ("sk-or-", _BEFORE + rb"sk-or-v\d-[0-9a-f]{64}"),
    "a key of Groq": ("gsk_", _BEFORE + rb"gsk_[A-Za-z0-9]{52}"),
    "a key of xAI": ("xai-", _BEFORE + rb"xai-[A-Za-z0-9]{80}"),
    "a key of Perplexity": ("pplx-", _BEFORE + rb"pplx-[A-Za-z0-9]{48}"),
    "a token of Replicate": ("r8_", _BEFORE + rb"r8_[A-Za-z0-9]{37}" + _BEHIND),
    "a token of npm": ("npm_", _BEFORE + rb"npm_[A-Za-z0-9]{36}" + _BEHIND),
    "a token of PyPI": ("pypi-AgE", rb"pypi-AgE[IN]c[A-Za-z0-9_-]{60}"),
    "a key of RubyGems": ("rubygems_", _BEFORE + rb"rubygems_[0-9a-f]{48}"),
    "a token of Docker": ("dckr_", _BEFORE + rb"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27}"),
    "a key of SendGrid": ("SG.", _BEFORE + rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    "a key of Mailgun": ("mailgun", rb"(?i:mailgun)[^\r\n]{0,60}?(?<![A-Za-z0-9_-])key-[0-9a-f]{32}" + _BEHIND),
    "a key of Mailchimp": (
        "mailchimp",
        rb"(?i:mailchimp)[^\r\n]{0,60}?(?<![A-Za-z0-9_-])[0-9a-f]{32}-us\d{1,2}" + _BEHIND,
    ),
    "a key of Brevo": ("xkeysib- xsmtpsib-", _BEFORE + rb"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    "a key of Twilio": ("SK", _BEFORE + rb"SK[0-9a-f]{32}" + _BEHIND),
    "a token of Telegram": (":AA", _BEFORE + rb"\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    "a token of DigitalOcean": ("_v1_", _BEFORE + rb"do[opr]_v1_[0-9a-f]{64}"),
    "a token of Databricks": ("dapi", _BEFORE + rb"dapi[0-9a-f]{32}" + _BEHIND),
    "a token of Shopify": ("shp", _BEFORE + rb"shp(?:at|ca|pa|ss|tka)_[0-9a-fA-F]{32}" + _BEHIND),
    "a token of Square": ("sq0", _BEFORE + rb"sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})"),
    "a token of Vault": ("hvs. hvb. hvr.", _BEFORE + rb"hv[sbr]\.[A-Za-z0-9_-]{24}"),
    "a token of Terraform Cloud": (".atlasv1.", rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60}"),
    "a token of Doppler": ("dp.", _BEFORE + rb"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40}"),
    "a token of Pulumi": ("pul-", _BEFORE + rb"pul-[0-9a-f]{40}" + _BEHIND),
    "a token of Supabase": ("sbp_ sb_secret_", _BEFORE + rb"(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{22})"),
    "a token of PlanetScale": ("pscale_", _BEFORE + rb"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32}"),
    "a token of Netlify": ("nfp_", _BEFORE + rb"nfp_[A-Za-z0-9]{36}"),
    "a key of Heroku": ("HRKU-", _BEFORE + rb"HRKU-[A-Za-z0-9_-]{36}"),
    "a token of Grafana": ("glc_ glsa_", _BEFORE + rb"(?:glc_[A-Za-z0-9+/]{32}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8})"),
    "a key of New Relic": ("NRAK-", _BEFORE + rb"NRAK-[A-Z0-9]{27}"),
    "a token of Sentry": ("sntry", _BEFORE + rb"sntry(?:s_[A-Za-z0-9+/=_-]{60}|u_[0-9a-f]{64})"),
    "a token of Dynatrace": ("dt0", _BEFORE + rb"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    "a token of Atlassian": (
        "ATATT3 ATBB ATCTT3",
        _BEFORE + rb"(?:ATATT3[A-Za-z0-9_=-]{100}|ATCTT3[A-Za-z0-9_=-]{100}|ATBB[A-Za-z0-9]{32})",
    ),
    "a key of Linear": ("lin_api_", _BEFORE + rb"lin_api_[A-Za-z0-9]{40}"),
    "a token of Notion": ("ntn_ secret_", _BEFORE + rb"(?:ntn_[A-Za-z0-9]{46}|secret_[A-Za-z0-9]{43})" + _BEHIND),
    "a token of Airtable": ("pat", _BEFORE + rb"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    "a token of Figma": ("figd_", _BEFORE + rb"figd_[A-Za-z0-9_-]{40}"),
    "a key of Postman": ("PMAK-", _BEFORE + rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    "a key of Alibaba Cloud": ("LTAI", _BEFORE + rb"LTAI[A-Za-z0-9]{20}" + _BEHIND),
    ADDRESS: (
        "://",
        (
            rb"(?i:[a-z][a-z0-9+.-]{1,30})://[^\s:/@\"'`<>{}$%\\]*:"
            rb"(?P<password>(?:[^\s:@/\"'`<>{}$%\\]|%[0-9A-Fa-f]{2})+)@(?P<host>[^\s/:?\"'`<>{}$%\\),]+)"
        ),
    ),
}
"""Kind -> words, one of which is in every such secret, in any case, and what it looks like: most files have none."""
IN_DOCUMENTATION = re.compile(rb"EXAMPLE(KEY)?$")
"""How AWS's own examples end: AKIAIOSFODNN7EXAMPLE, wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY."""
PLACEHOLDER = re.compile(
    rb"(?i:(?:my|your|the|db|some|user)?[_.-]?(?:pass(?:word|wd|phrase)?|pwd|pw|secret|token|key)[_.-]?(?:here)?|change_?-?me|"
    rb"user(?:name)?|tiger|.{1,2}|postgres|root|admin|guest|test|dummy|example|foo|bar|\.+|\*+|x+|-+|redacted|hidden|masked)"
)
"""What stands in the place of a password in documentation and tests."""
NOWHERE = re.compile(
    rb"(?i:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1\]?|host(?:name)?|server|(?:.*\.)?example(?:\.[a-z]+)?|.*\.(?:test|invalid|local(?:host)?))"
)
"""Hosts that no password is a secret of."""
