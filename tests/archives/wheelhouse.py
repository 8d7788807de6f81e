"""Makes wheels for tests: small, valid, and as odd as a test wants them."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def make_wheel(  # noqa: PLR0913  (each is one fact of a wheel)
    folder: Path,
    name: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    files: Mapping[str, str] | None = None,
    *,
    record: Mapping[str, str] | None = None,
    requires: str = "",
) -> Path:
    """A wheel of some text files; `record` replaces what RECORD should say of a file."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    contents = {
        **(files or {f"{name}/__init__.py": f"# {name}\n"}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = [f"{path},{(record or {}).get(path, _digest(text))},{len(text)}" for path, text in contents.items()]
    path = folder / f"{name}-{version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in contents.items():
            archive.writestr(member, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path


def list_wheels(folder: Path) -> str:
    """An index (https://packaging.python.org/en/latest/specifications/simple-repository-api/) of a folder's wheels."""
    for name in {path.name.split("-")[0] for path in folder.glob("*.whl")}:
        links = [
            f'<a href="{path.as_uri()}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>'
            for path in sorted(folder.glob(f"{name}-*.whl"))
        ]
        page = folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!DOCTYPE html><html><body>" + "<br>".join(links) + "</body></html>")
    return (folder / "simple").as_uri()


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"sha256={digest}"
