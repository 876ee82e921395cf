"""How many threads to compute with: one per physical core that this process may use, one in all for a small model.

A second thread on the same core shares its arithmetic units and slows matrix products down.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from pathlib import Path

_CPU_FOLDER = Path("/sys/devices/system/cpu")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


# Below this a step takes about as long as it takes threads to wait for one another, which they do dozens of times a
# token. When another program holds a core, that waiting costs its whole time slice each: measured on two busy cores
# with a model of 48 MB, 60 tokens took 0.16 s on one thread and 1.5 to 3.4 s on two.
_SMALL_MODEL_BYTES = 64 * 2**20


def default_threads(model_bytes: int) -> int:
    """Threads for a model whose weights take this much memory."""
    return 1 if is_small(model_bytes) else available_cores()


def is_small(model_bytes: int) -> bool:
    """Whether a model's weights are so few that its steps take no longer than what surrounds them."""
    return model_bytes < _SMALL_MODEL_BYTES


def available_cores() -> int:
    """Physical cores this process may use: at least 1, honouring its affinity and a container's CPU quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = physical_cores(os.sched_getaffinity(0), _CPU_FOLDER)
    elif sys.platform == "darwin":
        cores = _darwin_cores()
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, cpu_quota(_CGROUP_QUOTA) or cores))


def physical_cores(cpus: set[int], folder: Path) -> int:
    """The number of different cores among these logical CPUs, by Linux's ``topology/thread_siblings_list``.

    A CPU whose topology cannot be read counts as a core of its own.
    """
    siblings = set()
    for cpu in cpus:
        try:
            siblings.add((folder / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text().strip())
        except OSError:
            siblings.add(str(cpu))
    return len(siblings)


def cpu_quota(file: Path) -> int | None:
    """Whole CPUs that a cgroup v2 ``cpu.max`` (``quota period`` in microseconds) allows; None when unlimited."""
    try:
        quota, period = file.read_text().split()
        return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _darwin_cores() -> int:
    """Performance cores on Apple silicon (the slow ones would hold the fast ones up), physical cores elsewhere."""
    libc = ctypes.CDLL(None)
    for name in (b"hw.perflevel0.physicalcpu", b"hw.physicalcpu"):
        value, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
        if libc.sysctlbyname(name, ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)) == 0:
            return value.value
    return os.cpu_count() or 1
