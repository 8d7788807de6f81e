"""The workshop: makes and inspects archives on local disk. It knows nothing of AWS.

sources     the files of our own packages, as members of an archive
lock        requirements.txt and the lock that pins their full closure
wheels      which wheel fits a runtime, and what of it goes into a layer
downloads   wheels and sdists by their pinned hashes, kept in the cache
archive     members in, identical bytes out
workshop    all of it together: a layer, its artifact, the manifest
"""
