from packaging.markers import Marker

from tasks.project.runtimes import RUNTIMES, marker_environment


def test_the_c_library_of_each_runtime_is_that_of_its_amazon_linux() -> None:
    assert RUNTIMES["python3.11"].glibc == (2, 26)
    assert RUNTIMES["python3.12"].glibc == (2, 34)


def test_markers_are_evaluated_for_lambda_whatever_machine_builds() -> None:
    environment = marker_environment(RUNTIMES["python3.11"], "arm64")
    marker = 'sys_platform == "linux" and platform_machine == "aarch64" and python_version < "3.12"'
    assert Marker(marker).evaluate(environment)
    assert not Marker('os_name == "nt"').evaluate(environment)
