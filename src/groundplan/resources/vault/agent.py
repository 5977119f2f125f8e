"""The agent that fetches a workload's secrets: its configuration.

Source: https://developer.hashicorp.com/vault/docs/agent-and-proxy/agent
"""

from __future__ import annotations

from groundplan.shapes import values, workloads


def configuration(name: str, order: workloads.Order) -> values.Value:
    """For one pod, which logs in to the Vault called `name` by its own account."""
    head = f"""\
exit_after_auth = true
disable_mlock = true
vault {{{{
  address = "{{scheme}}://{{address}}"
{{verified}}}}}}
auto_auth {{{{
  method "kubernetes" {{{{
    mount_path = "auth/kubernetes"
    config = {{{{
      role = "{order.holder.name}"
      token_path = "{order.token_file}"
    }}}}
  }}}}
}}}}
template_config {{{{
  exit_on_retry_failure = true
}}}}
"""
    templates = "".join(_template(each, order.folder) for each in order.templates)
    filled = values.text(
        head,
        scheme=values.encrypted(name, "https", "http"),
        address=values.Address(name, "api"),
        verified=values.encrypted(name, values.text('  ca_cert = "{}"\n', values.Authority()), ""),
    )
    return values.text("{}{}", filled, templates)


def _template(template: workloads.Template, folder: str) -> str:
    return f"""\
template {{
  source = "{folder}/{template.name}"
  destination = "{template.destination}"
  perms = "0600"
  error_on_missing_key = true
}}
"""
