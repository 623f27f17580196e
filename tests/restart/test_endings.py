"""Ctrl-C, SIGTERM, a full disk, a numerical failure: what is there can be gone on with."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import pytest

from ionstack.cli import main
from ionstack.errors import InputError, OutputError
from ionstack.output import rows, vtkhdf
from ionstack.output.checkpoint import contents
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import read_trace
from ionstack.stepping import step_size
from ionstack.stepping.stepper import Stepper
from support.launch import ROOT
from support.restarts import SETTINGS, difference, results, run

pytestmark = pytest.mark.usefixtures("quick")

HALF = 40  # rows of the trace, about half of all


@pytest.fixture
def command(case, quick, tmp_path) -> Callable[..., int]:
    """The command line of the same case."""

    def work(*more: str) -> int:
        # The folder of a failed run stays locked as long as its traceback lives.
        gc.collect()
        arguments = ["run", str(case.path), "-o", str(tmp_path / "out"), "--quiet"]
        return main([*arguments, *SETTINGS, *more])

    return work


def at_row(monkeypatch: pytest.MonkeyPatch, number: int, work: Callable[[], None]) -> None:
    """Do something when the n-th row is written."""
    append, count = rows.RowFile.append, iter(range(1, 10**6))

    def hooked(self: rows.RowFile, cells: Any) -> None:
        append(self, cells)
        if next(count) == number:
            work()

    monkeypatch.setattr(rows.RowFile, "append", hooked)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_can_be_gone_on_with(
    number, status, command, whole, tmp_path, monkeypatch, capsys
):
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        at_row(patch, HALF, lambda: os.kill(os.getpid(), number))
        assert command() == status
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    printed = capsys.readouterr().err
    assert "interrupted at t = " in printed
    assert f"--resume -o {tmp_path / 'out'}" in printed
    cut = results(tmp_path / "out")
    assert cut["summary"]["completed"] == 0.0
    trace = cut["trace"]["time [s]"]
    assert contents(tmp_path / "out" / "checkpoint.h5").latest["time"] == trace[-1]
    assert command("--resume") == 0
    assert difference(results(tmp_path / "out"), results(whole.path)) < 1e-9


def test_a_finished_run_is_not_run_again(command, whole, tmp_path, capsys):
    shutil.copytree(whole.path, tmp_path / "out")
    before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert command("--resume") == 0
    after = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert after == before


def test_without_a_checkpoint_it_starts_from_the_beginning(command, whole, tmp_path):
    assert command("--resume") == 0
    assert "there is no checkpoint" in (tmp_path / "out" / "log.txt").read_text()
    assert difference(results(tmp_path / "out"), results(whole.path)) < 1e-9


def test_another_case_is_refused(command, whole, tmp_path, capsys):
    shutil.copytree(whole.path, tmp_path / "out")
    assert command("--resume", "--set", "temperature=300 K") == 2
    printed = capsys.readouterr().err
    assert "holds the results of another case" in printed
    assert "temperature=300 K" in printed


def test_another_mesh_is_refused(case, whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "out")
    (tmp_path / "out" / "summary.json").unlink()
    with h5py.File(tmp_path / "out" / "checkpoint.h5", "r+") as file:
        header = file["header"].asstr()[()].replace('"mesh": "', '"mesh": "0')
        del file["header"]
        file["header"] = header
    with pytest.raises(InputError, match=r"checkpoint\.h5: is of another mesh \(0"):
        run(case, tmp_path / "out", resume=True)


def test_what_is_no_checkpoint_is_refused(case, whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "out")
    (tmp_path / "out" / "summary.json").unlink()
    (tmp_path / "out" / "checkpoint.h5").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"checkpoint\.h5: cannot be read as a checkpoint"):
        run(case, tmp_path / "out", resume=True)


def test_a_numerical_failure_keeps_the_last_state(command, whole, tmp_path, monkeypatch):
    """Steps fail from one on: the run ends there, and goes on once they do not."""
    attempt, count = Stepper._try, iter(range(10**6))

    def failing(self: Stepper, *arguments: Any) -> Any:
        result, errors, state = attempt(self, *arguments)
        return (result, errors, state) if next(count) < HALF else (result, {}, None)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "_try", failing)
        patch.setattr(step_size, "shrunk", lambda *arguments, again: 0.0)
        assert command() == 3
    out = tmp_path / "out"
    trace = read_trace(out / "trace.csv")
    assert contents(out / "checkpoint.h5").latest["time"] == trace["time [s]"][-1]
    assert command("--resume") == 0


def full_at(patch: pytest.MonkeyPatch, owner: Any, name: str, number: int) -> None:
    """A disk that is full from the n-th call on."""
    whole, count = getattr(owner, name), iter(range(1, 10**6))

    def work(*arguments: Any, **options: Any) -> Any:
        if next(count) >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(*arguments, **options)

    patch.setattr(owner, name, work)


class Nearly:
    """A raw file that writes a few bytes at a time, as a nearly full disk does."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, content: bytes) -> int:
        return int(self.file.write(content[:100]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


PLACES = {
    "trace.csv": (Nearly, "write", HALF),
    "checkpoint.h5": (Path, "write_bytes", HALF),
    "fields.vtkhdf": (vtkhdf, "store", 25),
    "profiles.csv": (Path, "write_text", 6),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_full_disk_is_answered_in_one_line(name, command, whole, tmp_path, monkeypatch, capsys):
    made = rows.RowFile.__init__

    def nearly(self: rows.RowFile, *arguments: Any) -> None:
        made(self, *arguments)
        self._file = Nearly(self._file)

    with monkeypatch.context() as patch:
        patch.setattr(rows.RowFile, "__init__", nearly)
        full_at(patch, *PLACES[name])
        assert command() == OutputError.exit_status
    printed = capsys.readouterr().err.strip()
    assert "\n" not in printed
    assert f"{name}" in printed.split("; ")[0]
    assert "No space left on device" in printed
    assert "go on with: ionstack run" in printed
    assert command("--resume") == 0
    assert difference(results(tmp_path / "out"), results(whole.path)) < 1e-9


@pytest.mark.slow
def test_a_small_disk_that_fills_up_leaves_the_last_state(case, whole, tmp_path):
    """A tmpfs of 200 kB; with more space the run goes on to the same results."""
    small, out = tmp_path / "small", tmp_path / "out"
    small.mkdir()
    ran = [sys.executable, "-m", "ionstack", "run", str(case.path), *SETTINGS, "--quiet"]
    script = (
        f"mount -t tmpfs -o size=200k none {small} || exit 99\n"
        f'"$@" -o {small}/run; status=$?; cp -r {small}/run {out}; exit $status'
    )
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *ran]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "solver")}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode in (1, 99, 126, 127):
        pytest.skip(f"no tmpfs here: {done.stderr}")
    assert done.returncode == 3, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("ionstack: ")]
    assert len(lines) == 1, done.stderr
    assert "No space left on device" in lines[0]
    assert "Traceback" not in done.stderr
    run(case, out, resume=True)
    assert difference(results(out), results(whole.path)) < 1e-9


def test_named_steps_are_states(case, quick, whole, tmp_path):
    """The end of the sweep and of the pulses, named by hand; of one name the last counts."""
    ends = {2: "swept", 3: "swept", len(case.protocol.durations) - 2: "pulsed"}
    named = replace(case, protocol=replace(case.protocol, named=ends))
    named = replace(named, output=replace(case.output, checkpoint_every=1e9))
    run(named, tmp_path / "out")
    found = contents(tmp_path / "out" / "checkpoint.h5").states
    assert list(found) == ["swept", "pulsed", "end"]
    assert found["swept"]["time"] == case.protocol.breakpoints[3]
    assert found["end"]["time"] == case.protocol.duration
    assert found["end"]["voltages"]["Pt"] == case.protocol.laid[-1].end[0] == 0.1


def test_the_checkpoint_tells_where_it_comes_from(whole: RunDirectory, case):
    found = contents(whole.checkpoint)
    assert found.header["case"] == case.resolved() == whole.case.read_text()
    assert set(found.states) == {"end"}
    assert found.header["mpi.ranks"] == 1
    assert found.header["version.ionstack"]
    assert found.header["restarts"] == []
