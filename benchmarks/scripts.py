"""A user's own scripts, made again from their description: one process a step, one client a step, always published.

`deploy COUNT CORE DEPS` uploads and publishes two layers and attaches them to so many functions; with `wait` behind it
each update is waited for.
"""

import subprocess
import sys

import boto3

_ROLE = {"region_name": "eu-west-3"}


def deploy_layer(name: str, file: str, bucket: str) -> None:
    """Upload an archive and publish a layer version of it."""
    session = boto3.Session(**_ROLE)
    s3, functions = session.client("s3"), session.client("lambda")
    key = f"layers/{name}.zip"
    s3.upload_file(file, bucket, key)
    functions.publish_layer_version(
        LayerName=f"bench-{name}-dev",
        Content={"S3Bucket": bucket, "S3Key": key},
        CompatibleRuntimes=["python3.11", "python3.12"],
    )


def update_lambdas(count: int, *, wait: bool) -> None:
    """Give every function the latest version of both layers."""
    functions = boto3.Session(**_ROLE).client("lambda")
    arns = [
        functions.list_layer_versions(LayerName=f"bench-{name}-dev", MaxItems=1)["LayerVersions"][0]["LayerVersionArn"]
        for name in ("core", "deps")
    ]
    for number in range(count):
        name = f"bench-f{number}-dev"
        functions.update_function_configuration(FunctionName=name, Layers=arns)
        if wait:
            functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def main(what: str, *rest: str) -> None:
    """Take a step, or all of them one after another."""
    if what == "layer":
        deploy_layer(*rest)
    elif what == "functions":
        update_lambdas(int(rest[0]), wait="wait" in rest)
    else:
        archives = dict(zip(("core", "deps"), rest[1:3], strict=True))
        for name, file in archives.items():
            subprocess.run([sys.executable, __file__, "layer", name, file, "bench-code-dev"], check=True)
        subprocess.run([sys.executable, __file__, "functions", rest[0], *rest[3:]], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
