"""The only room that talks to AWS.

    connection    sessions and clients, for an account or for the sandbox; pace keeps them below Lambda's rate
    observe       reads, side by side: environment -> Deployed
    perform       the one entry for writes: an action, done and checked; functions switches one
    journal       who holds an environment, and what was done to it; who tells this process from others
    invoke        runs a function once
    reach         all of these for one environment, as the engine asks for them
    refusals      what botocore raises, in the operator's words
    live_package  the file names in a function's package, without downloading it

It decides nothing. What it reads becomes a plain value, what it writes was planned, and no botocore exception
leaves it.
"""
