"""Decisions: frozen values and pure functions.

Nothing in this room reads a file, asks the clock, prints, or knows that boto3 exists. What the environment holds
comes in as a `Deployed`, what has been built comes in as a `Release`, and a plan, a tuple of actions, goes out.
"""
