"""Numbers dealt to groups: each to one group, and nobody waits for a busy one."""

from __future__ import annotations

import json

import pytest
from mpi4py import MPI

from ionstack.campaigns.dealing import Counter, Groups
from ionstack.errors import InputError
from support.launch import launch


def test_one_rank_gets_all_numbers_in_order() -> None:
    groups = Groups(MPI.COMM_SELF, 1)
    assert list(groups.deal(4)) == [0, 1, 2, 3]
    assert list(groups.deal(0)) == []
    assert str(groups) == "1 group of 1 rank"
    counter = Counter(MPI.COMM_SELF)
    assert [counter.next() for _ in range(3)] == [0, 1, 2]
    counter.free()


def test_ranks_must_fill_their_groups() -> None:
    with pytest.raises(InputError, match="--group 2: 1 rank cannot be parted into groups of 2"):
        Groups(MPI.COMM_SELF, 2)


def test_every_number_goes_to_one_group_and_none_waits_for_a_busy_one() -> None:
    done = launch(4, ["-m", "support.on_dealing", "12"], timeout=60.0)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [one["group"] for one in found] == [0, 0, 1, 1]
    first, second = found[0]["numbers"], found[2]["numbers"]
    assert (found[1]["numbers"], found[3]["numbers"]) == (first, second)
    assert sorted(first + second) == list(range(12))
    # The first group is kept busy by its first number until the last one is dealt.
    assert len(first) <= 1
