"""Blocks as numbers, beside the standard library's reading of them."""

from __future__ import annotations

import ipaddress

import hypothesis
from hypothesis import strategies as st

from groundplan.proof import addresses

OCTETS = st.one_of(st.integers(0, 260).map(str), st.sampled_from(["01", "", "-1", "٣", " 1", "1 "]))
PREFIXES = st.one_of(st.integers(0, 40).map(str), st.sampled_from(["08", "", "-1", "٣", "255.0.0.0", "24 "]))


@hypothesis.given(st.lists(OCTETS, min_size=3, max_size=5).map(".".join), PREFIXES)
def test_a_block_is_read_as_the_standard_library_reads_it(address: str, prefix: str) -> None:
    written = f"{address}/{prefix}"
    try:
        network = ipaddress.ip_network(written, strict=False)
    except ValueError:
        expected = None
    else:
        expected = (int(network.network_address), int(network.broadcast_address))
    try:
        found = addresses.network(written)
    except ValueError:
        found = None
    assert found == expected, written
