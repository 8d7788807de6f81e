"""Decisions: frozen values and pure functions.

    artifacts, release     what is built, and what belongs together; codec stores and reads values
    functions, deployed    what a function and an environment run
    actions, plan, undo    what is to be changed, and how that is decided; limits refuses what Lambda would
    journal                who may go on, and where a rollback goes
    promotion              which release an environment runs
    events                 all that the engine and the workshop say
    contents, invocations  what is in an archive, and what comes of running a function

Nothing in this room reads a file, asks the clock, prints, or knows that boto3 exists.
"""
