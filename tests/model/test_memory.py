"""What a request may take: a share of what the process was given, else of all memory, whatever else runs."""

import os

import pytest

from sacrepro.model import memory


def test_a_request_may_take_a_share_of_the_memory_or_of_what_was_given(monkeypatch):
    monkeypatch.setattr(memory, "_given", [])
    assert memory.memory_bytes() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    memory.give(1000)
    assert memory.allowed_bytes(None) == 800
    assert memory.allowed_bytes(5) == 5
    memory.demand("this", 800, None, "less fits")
    with pytest.raises(MemoryError, match="this needs 801 B, but 800 B are allowed; less fits"):
        memory.demand("this", 801, None, "less fits")


def test_where_the_system_does_not_tell_some_memory_is_assumed(monkeypatch):
    def untold(name):
        raise ValueError(name)

    monkeypatch.setattr(memory, "_given", [])
    monkeypatch.setattr(os, "sysconf", untold)
    memory.machine_bytes.cache_clear()
    assert memory.memory_bytes() == memory.FALLBACK_BYTES
    memory.machine_bytes.cache_clear()
