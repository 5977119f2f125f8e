"""The server's configuration: integrated storage (raft), which replicates and takes snapshots, or files.

Sources: https://developer.hashicorp.com/vault/docs/configuration/storage/raft,
https://developer.hashicorp.com/vault/docs/configuration/storage/filesystem (not for production, says its vendor)
"""

from __future__ import annotations

from collections.abc import Sequence

from groundplan.shapes import values

CERTIFICATE = "/certificate"
_TLS = f"""\
  tls_cert_file = "{CERTIFICATE}/tls.crt"
  tls_key_file = "{CERTIFICATE}/tls.key"
"""
_SERVER = """\
ui = true
disable_mlock = true
{addresses}{storage}listener "tcp" {{
  address = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
{tls}  telemetry {{
    unauthenticated_metrics_access = true
  }}
}}
telemetry {{
  prometheus_retention_time = "2m"
  disable_hostname = true
}}
"""


def raft(name: str, peers: Sequence[str]) -> values.Value:
    """Integrated storage. An empty replica joins whichever of `peers` (host names) leads; that it is one of them itself
    does no harm. Its own addresses and name are variables, for a file is the same for all. A leader that is lost is
    missed after a second or two (`performance_multiplier` 1, the vendor's advice for production), not after ten."""
    joins = values.text("{}" * len(peers), *(_join(name, host) for host in peers))
    head = 'storage "raft" {{\n  path = "{}"\n  performance_multiplier = 1\n{}}}\n'
    stanza = values.text(head, values.Folder(name), joins)
    return _server(name, "", stanza)


def _join(name: str, host: str) -> values.Value:
    verified = f'    leader_ca_cert_file = "{CERTIFICATE}/ca.crt"\n    leader_tls_servername = "{host}"\n'
    return values.text(
        '  retry_join {{\n    leader_api_addr = "{}://{}:8200"\n{}  }}\n',
        values.encrypted(name, "https", "http"),
        host,
        values.encrypted(name, verified, ""),
    )


def file(name: str) -> values.Value:
    """Files: one server, no snapshots."""
    addresses = values.text(
        'api_addr = "{}://{}"\ncluster_addr = "https://{}"\n',
        values.encrypted(name, "https", "http"),
        values.Address(name, "api"),
        values.Address(name, "cluster"),
    )
    return _server(name, addresses, values.text('storage "file" {{\n  path = "{}"\n}}\n', values.Folder(name)))


def _server(name: str, addresses: str | values.Value, storage: values.Value) -> values.Value:
    tls = values.encrypted(name, _TLS, "  tls_disable = true\n")
    return values.text(_SERVER, addresses=addresses, storage=storage, tls=tls)
