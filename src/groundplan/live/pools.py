"""Connections to an API server: TLS as its kubeconfig says, through a proxy where there is one."""

from __future__ import annotations

import ssl
import tempfile
import urllib.parse
import urllib.request
from typing import Any

import urllib3
from urllib3 import exceptions as broken

from groundplan.live import credentials, errors, kubeconfig


def of(access: kubeconfig.Access, now: credentials.Credentials, most: int) -> urllib3.PoolManager:
    """Connections to one API server, at most `most` of them kept open; raises errors.NoAccess."""
    found: dict[str, Any] = {"maxsize": most}
    if access.server.startswith("https://"):
        found["ssl_context"] = _context(access, now)
        if access.insecure:  # as the kubeconfig says, so nobody has to be warned at each request
            urllib3.disable_warnings(broken.InsecureRequestWarning)
            found["assert_hostname"] = False
        elif access.server_name:
            found |= {"server_hostname": access.server_name, "assert_hostname": access.server_name}
    proxy = access.proxy or _proxy_of_environment(access.server)
    if not proxy:
        return urllib3.PoolManager(**found)
    if not proxy.startswith(("http://", "https://")):
        scheme = proxy.partition("://")[0]  # the rest may hold a password
        raise errors.NoAccess(
            f"a proxy by {scheme} cannot be used", why="spoken are http and https", fix="see proxy-url"
        )
    return urllib3.ProxyManager(proxy, **found)


def _proxy_of_environment(server: str) -> str:
    parts = urllib.parse.urlsplit(server)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return ""
    return urllib.request.getproxies().get(parts.scheme, "")


def _context(access: kubeconfig.Access, now: credentials.Credentials) -> ssl.SSLContext:
    try:
        found = ssl.create_default_context(cadata=access.authority.decode() if access.authority else None)
        # Newer Pythons refuse authorities that lack a field which many clusters' own never had; kubectl does not.
        found.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if access.insecure:
            found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
        if now.certificate:
            # OpenSSL takes them from a file only: one that nobody else can read, and gone at once.
            with tempfile.NamedTemporaryFile() as file:
                file.write(now.certificate + b"\n" + now.key)
                file.flush()
                found.load_cert_chain(file.name)
    except (ssl.SSLError, ValueError) as error:
        what = f"context {access.context}: a certificate or key cannot be read"
        raise errors.NoAccess(what, why=str(error), fix="mend the kubeconfig, or log in anew") from None
    return found
