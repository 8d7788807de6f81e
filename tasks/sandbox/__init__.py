"""An AWS to rehearse on: moto on loopback, with the project's environments already there.

    server       one server, in this process or in one of its own
    strict       AWS's rules over moto: lambda_rules, lambda_checks, s3_rules; messages are what they exchange
    keys         who may use it
    invocation   functions run for real, each in a process of its own: runtime, runtime_client, bootstrap
    faults       what goes wrong, on request
    seed         the buckets, roles and functions of every environment
    background   a server that stays up between commands

Nothing here can reach real AWS: clients get the endpoint and dummy keys explicitly (see `tasks.aws.connection`), and
only tasks that follow `sandbox` on the same command line talk to it.
"""
