"""What release.toml, VERSION and git say of a repository: read once, handed down as values.

model         the values: layers, functions, environments
release_toml  release.toml -> a project
versions      VERSION
runtimes      what Lambda's runtimes bring, and Lambda's limits
workspace     the repository on local disk
interpreters  the Pythons of this machine that can stand in for Lambda's
command       what one command works on
"""
