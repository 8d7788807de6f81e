"""What Lambda would refuse, found before anything is sent."""

from collections.abc import Iterable, Mapping

from tasks.errors import PlanError
from tasks.project.runtimes import MAX_LAYERS, MAX_UNZIPPED
from tasks.release.artifacts import Artifact
from tasks.release.deployed import DeployedFunction
from tasks.release.functions import State


def check_function(name: str, there: DeployedFunction, after: State, parts: tuple[Artifact, ...]) -> None:
    """PlanError if a function could not be in this state: too many layers, too large, or made for another runtime.

    `parts` are the release's layers, and the function's package if it gets one. Of what is not ours only the zipped
    size is known, so the sum is a lower bound, and Lambda has the last word.
    """
    # held by tests/release tests/test_engine.py
    if len(after.layers) > MAX_LAYERS:
        raise PlanError(
            f"{name} would have {len(after.layers)} layers, and Lambda allows {MAX_LAYERS}; "
            f"take one of these off it first: {', '.join(there.state.arns)}"
        )
    for part in parts:
        # held by tests/release tests/test_engine.py `after.runtime not in part.runtimes`
        if after.runtime not in part.runtimes or there.state.architecture != part.architecture:
            raise PlanError(
                f"{name} runs {after.runtime} on {there.state.architecture}, but {part} is made for "
                f"{', '.join(part.runtimes)} on {part.architecture}; declare that runtime in release.toml, or "
                "correct the function"
            )
    ours = {part.name: part for part in parts}
    sizes = {
        str(layer): ours[layer.layer].unzipped if layer.layer in ours else there.layer_sizes.get(layer.arn, 0)
        for layer in after.layers
    }
    code = next((part.unzipped for part in parts if part.handler), there.code_size)
    # held by tests/release tests/test_engine.py
    if sum(sizes.values()) + code > MAX_UNZIPPED:
        listed = ", ".join(f"{layer} {size:,}" for layer, size in sizes.items())
        raise PlanError(
            f"{name} would unpack to more than Lambda's {MAX_UNZIPPED:,} bytes: code {code:,}, {listed}; "
            "make a layer smaller"
        )


def hidden_modules(package: Iterable[str], layers: Iterable[Artifact]) -> Mapping[str, str]:
    """The modules of a function's package that a layer brings too, with the layer that brings them.

    Halves of a namespace package are joined by Python, unless one of them is a package of that name as a whole.

    Lambda looks in /var/task before /opt/python, so the package's copy would run and the layer's never:
    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
    """
    brought = {module: layer.name for layer in layers for module in layer.modules}
    return {module: layer for module in package for other, layer in brought.items() if _meet(module, other)}


def _meet(one: str, other: str) -> bool:
    """Whether two modules are the same, or one is inside the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def hiding(packages: Iterable[Artifact], layers: Iterable[Artifact]) -> str:
    """Why a function's package must not be released with these layers; empty if there is no such package."""
    brought = tuple(layers)
    for package in packages:
        for module, layer in hidden_modules(package.modules, brought).items():
            return (
                f"The package of function {package.name} holds {module}, which would hide the layer {layer} (Lambda "
                f"looks in /var/task before /opt/python); take {module} out of the function's source folder"
            )
    return ""


def refuse_hiding(packages: Iterable[Artifact], layers: Iterable[Artifact]) -> None:
    """PlanError if a function's package would hide a layer: for weeks "deployed" layers would never run."""
    if reason := hiding(packages, layers):
        raise PlanError(reason)
