"""Webhooks reach the public internet, and no network behind it, whatever way an address is written in."""

from __future__ import annotations

import pytest

from sitematch.domain.webhooks.address import is_public

INSIDE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "ff0e::1"),
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1"),
    *(
        "64:ff9b:1::a00:1",
        "2002:0a00:0001::",
        "2002:808:808::1",
        "2002:7f00:1::1",
        "2001:db8::1",
        "192.0.2.1",
        "198.51.100.7",
    ),
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111"]


@pytest.mark.parametrize("address", INSIDE)
def test_address_inside_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)
