"""A bill of materials for an archive, in CycloneDX: https://cyclonedx.org/docs/1.6/json/.

It says what is in the archive and nothing of when or where it was made, so that it is the same everywhere too.
"""

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from tasks.release.contents import Distribution


def bill_of_materials(name: str, distributions: Iterable[Distribution], tree: str) -> str:
    """The bill, as JSON; `tree` is the digest that identifies the archive's contents."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    licences = LicenseFactory()
    archive = Component(name=name, type=ComponentType.LIBRARY, bom_ref=name)
    archive.properties.add(Property(name="tree-digest", value=tree))
    bom = Bom()
    bom.serial_number = uuid5(NAMESPACE_URL, tree)  # the bill's own name follows from what it is about
    bom.metadata.timestamp = None  # type: ignore[assignment]  # optional in the schema, required by the type alone
    bom.metadata.component = archive
    for each in distributions:
        purl = PackageURL("pypi", name=each.name.lower().replace("_", "-"), version=each.version)
        component = Component(
            name=each.name, version=each.version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl)
        )
        if each.licence:
            component.licenses.add(licences.make_from_string(each.licence))
        bom.components.add(component)
        bom.register_dependency(archive, [component])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
