"""JAX as this project uses it: double precision, CPU, kernels cached on disk."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

# The other scheduler orders operations such that they can run concurrently, and hands them
# to a thread: three times the time of a kernel on 300 nodes.
_XLA_FLAGS = (
    "--xla_cpu_multi_thread_eigen=false",
    "--xla_cpu_scheduler_type=CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED",
)


@cache
def configure() -> None:
    """Set JAX up once per process; called before the first kernel is built."""
    flags = os.environ.get("XLA_FLAGS", "")
    # One thread per rank: the batches are small and ranks share the cores. NPROC is the
    # size of XLA's thread pool, which would run small operations concurrently at a loss.
    os.environ.setdefault("NPROC", "1")
    os.environ["XLA_FLAGS"] = " ".join([flags, *_XLA_FLAGS]).strip()
    import jax

    settings = {
        "jax_platforms": os.environ.get("JAX_PLATFORMS", "cpu"),
        "jax_enable_x64": True,
        # Every result is used at once: handing the work to another thread only costs.
        "jax_cpu_enable_async_dispatch": False,
        "jax_compilation_cache_dir": str(_cache()),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]


def _cache() -> Path:
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ionstack"
    return Path(os.environ.get("JAX_COMPILATION_CACHE_DIR", default / "kernels"))
