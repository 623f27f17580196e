"""Network settings of the host that the launcher passes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.launcher import Bench

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64] https://packages.example/tool stable main
deb [signed-by=/x y] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/security bookworm-security main
"""
STANZAS = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [("sources.list", ONE_LINE), ("sources.list.d/debian.sources", STANZAS)],
)
def test_mirror_of_the_host_is_found(bench: Bench, tmp_path: Path, file: str, text: str) -> None:
    path = tmp_path / "apt" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    script = 'debian_mirror "$1" bookworm'
    assert bench.call(script, str(tmp_path / "apt"))[1] == "http://mirror.example/debian\n"


def test_machine_without_a_mirror_leaves_the_choice_to_debian(bench: Bench, tmp_path: Path) -> None:
    assert bench.call('debian_mirror "$1" bookworm', str(tmp_path)) == (0, "", "")


def test_proxy_of_apt_is_passed_on(bench: Bench) -> None:
    assert bench.call("apt_proxy_settings")[1] == 'Acquire::http::Proxy "proxy:3142";\n'


def test_package_folders_named_for_pip_are_found(bench: Bench) -> None:
    index = "file:///opt/index/simple https://index.example/opt/other/simple"
    _, out, _ = bench.call("pip_folders", PIP_EXTRA_INDEX_URL=index)
    assert "/opt/index" in out.splitlines()
    assert "/opt/other" not in out.splitlines()


def test_certificates_named_by_the_host_are_used(bench: Bench, tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text("certificate")
    assert bench.call("certificate_bundle", SSL_CERT_FILE=str(bundle))[1] == f"{bundle}\n"
