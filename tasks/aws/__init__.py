"""The only room that talks to AWS.

    connection   sessions and clients, for an account or for the sandbox
    observe      reads, in parallel: environment -> Deployed
    perform      the one entry for writes: an action, done and checked
    refusals     what botocore raises, in the operator's words

It decides nothing. What it reads becomes a plain value, what it writes was planned, and no botocore exception
leaves it.
"""
