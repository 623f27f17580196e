"""The launcher, with stand-ins for every tool."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.launcher import FILES, REPOSITORY, Bench, write_tool


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ------------------------------------------------------------------ a set-up that works


def test_set_up_then_command_with_its_status_and_arguments(bench: Bench) -> None:
    status, out, err = bench.run("shell", "bash", "-c", 'echo "<$1>"; exit 7', "x", "a  b")
    assert (status, out) == (7, "<a  b>\n")
    assert "environment ready" in err
    assert len(bench.roots()) == 1
    assert bench.roots()[0].startswith("trixie-")


def test_second_start_makes_nothing_and_says_nothing(bench: Bench) -> None:
    bench.run("shell", "true")
    assert bench.run("shell", "true") == (0, "", "")
    assert bench.set_ups() == 1


def test_progress_names_each_step_in_order(bench: Bench) -> None:
    say = 'echo "[3/5] Debian packages" >>"$PROGRESS"; sleep 0.2'
    _, _, err = bench.run("shell", "true", ON_PROVISION=say)
    assert err.index("[2/5] base system") < err.index("[3/5] Debian packages")


def test_host_settings_do_not_leak_in(bench: Bench) -> None:
    leaks = {"PYTHONHOME": "/x", "PYTHONPATH": "/x", "LD_LIBRARY_PATH": "/x", "VIRTUAL_ENV": "/x"}
    _, out, _ = bench.run("shell", "env", PETSC_OPTIONS="-log_view", OMP_NUM_THREADS="3", **leaks)
    lines = out.splitlines()
    assert f"PYTHONPATH={bench.repo}/solver" in lines
    assert {"PETSC_OPTIONS=-log_view", "OMP_NUM_THREADS=3", "OPENBLAS_NUM_THREADS=1"} <= set(lines)
    assert not [line for line in lines if line.startswith(("PYTHONHOME", "LD_", "VIRTUAL_ENV"))]


def test_runs_in_the_working_directory_on_a_read_only_root(bench: Bench) -> None:
    bench.run("shell", "true")
    arguments = Path(f"{bench.count}.bwrap").read_text().splitlines()
    assert arguments[0] == "--ro-bind"
    assert arguments[arguments.index("--chdir") + 1] == str(bench.home.parent)


def test_anything_but_shell_is_a_command_of_the_program(bench: Bench) -> None:
    script = 'choose_command bash run "a b.yaml"; printf "%s|" "${COMMAND[@]}"'
    _, out, _ = bench.call(script)
    assert out == "python3|-m|ionstack|run|a b.yaml|"


# ------------------------------------------------------------------ what a root is keyed by


def root_name(bench: Bench, **extra: str) -> str:
    return bench.call('find_home; name_root; echo "$NAME"', **extra)[1].strip()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pyproject.toml", '"jax>=', '"jax>=9.'),
        ("pyproject.toml", '"pytest>=', '"pytest>=9.'),
        ("docker/provision.sh", "openmpi-bin", "mpich"),
    ],
)
def test_name_follows_what_defines_a_root(bench: Bench, file: str, old: str, new: str) -> None:
    before = root_name(bench)
    edit(bench.repo / file, old, new)
    assert root_name(bench) != before


def test_name_ignores_everything_else(bench: Bench) -> None:
    before = root_name(bench)
    edit(bench.repo / "pyproject.toml", "line-length = 100", "line-length = 99")
    assert root_name(bench) == before


def test_suite_selects_another_root(bench: Bench) -> None:
    assert root_name(bench, IONSTACK_SUITE="unstable").startswith("unstable-")
    assert root_name(bench, IONSTACK_SUITE="unstable")[9:] != root_name(bench)[7:]


# ------------------------------------------------------------------ set-ups that do not finish


def test_failure_names_step_and_log_and_leaves_no_root(bench: Bench) -> None:
    status, _, err = bench.run("shell", "true", ON_MMDEBSTRAP='echo "E: no archive" >&2; exit 1')
    assert status == 1
    assert "    E: no archive\n" in err
    last = err.splitlines()[-1]
    assert last.startswith("ionstack: set-up failed at [2/5] base system (Debian trixie); ")
    assert Path(last.split(" is ")[1]).read_text().count("E: no archive") == 1
    assert bench.roots() == []


def test_failed_provisioning_is_repeated_from_the_start(bench: Bench) -> None:
    assert bench.run("shell", "true", ON_PROVISION="exit 1")[0] == 1
    assert bench.roots() == []
    assert bench.run("shell", "true")[0] == 0
    assert bench.set_ups() == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    process = bench.start('main "$@"', "shell", "true", ON_MMDEBSTRAP="exec sleep 60")
    wait_until(lambda: bench.set_ups() == 1)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert "set-up interrupted" in err
    assert bench.roots() == []


def test_killed_set_up_is_not_taken_for_a_root(bench: Bench) -> None:
    process = bench.start('main "$@"', "shell", "true", ON_MMDEBSTRAP="exec sleep 60")
    wait_until(lambda: bench.set_ups() == 1)
    process.kill()
    process.communicate(timeout=20)
    assert [name.endswith(".partial") for name in bench.roots()] == [True]
    assert bench.run("shell", "echo", "fine")[:2] == (0, "fine\n")
    assert [name.endswith(".partial") for name in bench.roots()] == [False]


def test_partial_roots_of_other_definitions_are_removed(bench: Bench) -> None:
    (bench.home / "roots" / "trixie-0123.partial" / "etc").mkdir(parents=True)
    bench.run("shell", "true")
    assert not [name for name in bench.roots() if name.endswith(".partial")]


def test_half_deleted_root_is_made_again(bench: Bench) -> None:
    bench.run("shell", "true")
    (bench.home / "roots" / bench.roots()[0] / "usr/lib/ionstack/complete").unlink()
    assert bench.run("shell", "echo", "fine")[:2] == (0, "fine\n")
    assert bench.set_ups() == 2


def test_two_starts_make_one_root(bench: Bench) -> None:
    first = bench.start('main "$@"', "shell", "true", ON_MMDEBSTRAP="sleep 1")
    wait_until(lambda: bench.set_ups() == 1)
    status, out, err = bench.run("shell", "echo", "second")
    first.communicate(timeout=20)
    assert (first.returncode, status, out) == (0, 0, "second\n")
    assert err == "ionstack: another start is making the environment; waiting for it\n"
    assert bench.set_ups() == 1


# ------------------------------------------------------------------ what is missing, in a sentence


def test_viewers_come_into_a_copy_of_the_environment(bench: Bench) -> None:
    status, out, _ = bench.run("viewers", "sh", "-c", "echo $1; exit 7", "sh", "seen")
    assert (status, out) == (7, "seen\n")
    plain, viewers = bench.roots()
    assert viewers.startswith(f"{plain}-viewers-")
    assert not (bench.home / "roots" / plain / "usr/pvbatch").exists()
    assert (bench.home / "roots" / viewers / "usr/pvbatch").exists()
    assert str(bench.home / "roots" / viewers) in bench.count.with_suffix(".bwrap").read_text()
    assert bench.run("viewers", "true") == (0, "", "")
    assert bench.set_ups() == 1


def test_viewers_that_cannot_be_had_leave_the_environment_as_it_was(bench: Bench) -> None:
    status, _, err = bench.run("viewers", "true", ON_VIEWERS="exit 4")
    assert status == 1
    assert "set-up failed at [1/2] copy of the environment" in err
    assert len(bench.roots()) == 1
    assert bench.run("shell", "true") == (0, "", "")


def message(result: tuple[int, str, str]) -> str:
    status, out, err = result
    assert (status, out) == (1, "")
    return err.splitlines()[-1]


def test_no_place_for_the_environment(bench: Bench) -> None:
    result = bench.run("shell", "true", HOME="", IONSTACK_HOME="")
    assert message(result).startswith("ionstack: neither HOME nor IONSTACK_HOME says")


def test_place_that_cannot_be_written(bench: Bench) -> None:
    result = bench.run("shell", "true", IONSTACK_HOME="/dev/null/x")
    assert "cannot write to /dev/null/x; set IONSTACK_HOME" in message(result)


def test_full_disk(bench: Bench) -> None:
    result = bench.run("shell", "true", FREE_KB="1000000")
    assert f"set-up needs 5 GB in {bench.home}, which has 1 GB" in message(result)
    assert bench.set_ups() == 0


def test_system_without_the_tools_and_without_apt(bench: Bench) -> None:
    absent = "command() { case $2 in mmdebstrap | bwrap | apt-get) return 1; esac; }; "
    text = message(bench.call(absent + "main shell true"))
    assert text.startswith("ionstack: set-up needs mmdebstrap bwrap, which this system must")
    assert "conda" in text
    assert "docker/Dockerfile" in text


# ------------------------------------------------------------------ a machine that has DOLFINx


def test_python_with_the_dependencies_is_used_as_it_is(bench: Bench) -> None:
    write_tool(bench.bin / "python3", 'case $1 in *requirements.py) exit 0; esac; echo "$@"')
    script = 'builtin source "$LAUNCHER"; inside_environment() { false; }; main check x.yaml'
    assert bench.call(script)[:2] == (0, "-m ionstack check x.yaml\n")
    assert not (bench.home / "roots" / "lock").exists()


def test_python_that_lacks_a_dependency_is_named_once(bench: Bench) -> None:
    write_tool(bench.bin / "python3", "echo 'jax>=0.5 pint>=0.24'; exit 1")
    script = "machine_python_serves() { UNMET=$(python3); }; main shell true"
    assert "python3 has DOLFINx but not jax>=0.5 pint>=0.24" in bench.call(script)[2]
    assert bench.call(script)[2] == ""


# ------------------------------------------------------------------ the scripts themselves


def test_scripts_are_clean() -> None:
    checker = ["shellcheck", "-x"] if shutil.which("shellcheck") else ["bash", "-n"]
    for script in FILES[0], ".ci/run", *(name for name in FILES if name.endswith(".sh")):
        subprocess.run([*checker, script], cwd=REPOSITORY, check=True)
