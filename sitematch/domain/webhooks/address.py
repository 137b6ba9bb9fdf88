"""Allowed webhook addresses: valid URLs, and networks that webhooks must not reach."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from sitematch.errors import InvalidInput

MAX_URL_LENGTH = 2000
"""Maximum length of a webhook's URL."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052, RFC 8215)."""

_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")
"""The old form of an IPv4 address as an IPv6 address (RFC 4291, section 2.5.5.1)."""


def check_url(url: str) -> None:
    """Check that a webhook's URL can be used.

    Parameters
    ----------
    url
        As it was typed.

    Raises
    ------
    InvalidInput
        If it is not an http or https URL, has a user name, is too long, or has an invalid host or port.

    Examples
    --------
    >>> check_url("https://ctms.example.org:8443/sitematch")
    >>> check_url("https://ctms.example.org:99999/")
    Traceback (most recent call last):
    ...
    sitematch.errors.InvalidInput: The port of a webhook address must be a number from 1 to 65535.
    """
    if len(url) > MAX_URL_LENGTH:
        raise InvalidInput(f"A webhook address can have at most {MAX_URL_LENGTH} characters.", field="url")
    if not url.isascii() or any(mark <= " " or mark == "\x7f" for mark in url):
        raise InvalidInput(
            "A webhook address must be ASCII without spaces. Write other letters as %XX, and the host as xn--….",
            field="url",
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise InvalidInput("The webhook address must be http or https.", field="url") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None:
        raise InvalidInput("The webhook address must be http or https, without a user name.", field="url")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise InvalidInput("The port of a webhook address must be a number from 1 to 65535.", field="url")
    labels = host.rstrip(".").split(".")
    is_name = ":" not in host
    if is_name and (len(host) > 253 or any(not 1 <= len(label) <= 63 for label in labels)):
        raise InvalidInput(f"{host[:80]!r} is not a valid host name.", field="url")


def is_public(address: str) -> bool:
    """Return whether an IP address is in the public internet, in any notation.

    Addresses that stand for another one (IPv4-mapped and -compatible, 6to4, NAT64, Teredo) are also checked with that
    address.

    Parameters
    ----------
    address
        IPv4 or IPv6, optionally with a zone after ``%``.

    Examples
    --------
    >>> [is_public(address) for address in ("8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "ff02::1")]
    [True, False, False, False, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    return all(_is_public(each) for each in (found, *_stands_for(found)))


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.sixtofour is not None:
        return False  # 6to4 is no longer in use (RFC 7526); Python has called it public or not by its version
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def _stands_for(address: IpAddress) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address contains."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = [each for each in (address.ipv4_mapped, address.sixtofour) if each is not None]
    if address.teredo is not None:
        found += address.teredo
    if address in _IPV4_COMPATIBLE or any(address in network for network in _NAT64):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found
