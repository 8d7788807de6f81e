"""What release.toml, VERSION and git say of a repository: read once, handed down as values.

model         the values: layers, functions, environments; release_toml reads them, checks refuses what cannot work
versions      VERSION
runtimes      what Lambda's runtimes bring, and Lambda's limits
git           which commit is checked out, and which files it tracks
workspace     the repository on local disk; files replaces a file whole; cache, what is kept for next time
interpreters  the Pythons of this machine that can stand in for Lambda's; twin, for what is compiled
uv, web       how packages are resolved and installed, and addresses read
command       what one command works on
"""
