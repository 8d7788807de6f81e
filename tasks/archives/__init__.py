"""The workshop: makes and inspects archives on local disk. It knows nothing of AWS.

workshop       builds: made in the cache, checked, then given their names
manifest       what lies in .build
recipes        what goes into an archive, and the key that stands for it
sources        the files of our own packages; configuration, those that travel with a release; known, of sources
lock           requirements.txt and the lock that pins their full closure
wheels         which wheel fits a runtime, and what of it goes into a layer
downloads      wheels and sdists by their pinned hashes; sdists builds what has no wheel
archive        members in, identical bytes out
checks         what Lambda would refuse; trial imports, together all archives of a project
contents       what is in an archive; sbom writes that down
"""
