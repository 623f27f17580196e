"""The launcher with stand-ins for every tool: offline, inside or outside a root.

The script is sourced, so that what needs privileges or this machine's state can be
replaced; everything else is the real code.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = (
    "ionstack",
    "pyproject.toml",
    "docker/make_root.sh",
    "docker/provision.sh",
    "docker/requirements.py",
    "docker/viewers.sh",
)

# Runs the launcher as on a machine without DOLFINx that allows namespaces.
DRIVER = """
source "$LAUNCHER"
POLL=0.02
inside_environment() { false; }
machine_python_serves() { false; }
source "$REPO/docker/make_root.sh"
check_namespaces() { :; }
contained() { exec setpriv --pdeathsig KILL -- "$@"; }
source() { :; } # what is replaced above stays replaced
"""

FAKES = {
    "mmdebstrap": """
        for last; do [ -d "$last" ] && root=$last; done
        echo called >>"$COUNT"
        mkdir -p "$root/etc"
        eval "${ON_MMDEBSTRAP:-true}"
    """,
    # Set-up provisions a root; use runs the command that follows the mounts.
    "bwrap": """
        case " $* " in
            *provision.sh*)
                eval "${ON_PROVISION:-true}"
                mkdir -p "$2/usr/lib/ionstack"
                echo 0.9 >"$2/usr/lib/ionstack/complete" ;;
            *viewers.sh*)
                touch "$2/usr/pvbatch"
                eval "${ON_VIEWERS:-true}" ;;
            *) printf '%s\\n' "$@" >"$COUNT.bwrap"
                while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
                shift
                PATH=$FAKE_PATH exec "$@" ;;
        esac
    """,
    "df": 'printf "header\\n/dev/x 1 1 %s 1%% /\\n" "${FREE_KB:-99000000}"',
    "chown": "true",
    "newuidmap": "true",
    "apt-config": "echo 'Acquire::http::Proxy \"proxy:3142\";'",
}


@dataclass(frozen=True)
class Bench:
    """A checkout in a folder with a space, a cache, and a PATH of stand-ins."""

    repo: Path
    home: Path
    bin: Path
    count: Path

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of a start; a value of `""` removes the name."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("IONSTACK_", "XDG_"))}
        environ |= {
            "LAUNCHER": str(self.repo / "ionstack"),
            "IONSTACK_HOME": str(self.home),
            "COUNT": str(self.count),
            "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
            "FAKE_PATH": os.environ["PATH"],
        }
        return {k: v for k, v in (environ | extra).items() if v}

    def start(self, script: str, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start bash with the launcher sourced, then `script`."""
        return subprocess.Popen(
            ["bash", "-c", DRIVER + script, "bash", *arguments],
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home.parent,
        )

    def call(self, script: str, *arguments: str, **extra: str) -> tuple[int, str, str]:
        """Return exit status, output and messages of `script`."""
        with self.start(script, *arguments, **extra) as process:
            out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def run(self, *arguments: str, **extra: str) -> tuple[int, str, str]:
        """Return exit status, output and messages of `./ionstack ARGUMENTS`."""
        return self.call('main "$@"', *arguments, **extra)

    def roots(self) -> list[str]:
        """Return the names of the roots, finished or not."""
        return sorted(path.name for path in (self.home / "roots").iterdir() if path.is_dir())

    def set_ups(self) -> int:
        """Return how often a base system was made."""
        return len(self.count.read_text().splitlines()) if self.count.exists() else 0


def write_tool(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)
