# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options: names, aliases and variables of kubernetes.core. PRIVATE to the collection.

The argument spec is plugins/module_utils/_kubernetes/options.py; a unit test holds the two together.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig, or several joined by V(:). A dictionary with the content of one is taken as well.
      - Without this and other connection options, the ServiceAccount of the pod is used inside a cluster, and the files in E(KUBECONFIG) or
        C(~/.kube/config) elsewhere.
      - Can also be given by the environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - Name of a context of the kubeconfig. By default its current context.
      - Can also be given by E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server.
      - Can also be given by E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token.
      - Can also be given by E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User for HTTP basic authentication, which proxies in front of an API server may ask for.
      - Can also be given by E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - Can also be given by E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description:
      - Path of a client certificate in PEM.
      - Can also be given by E(K8S_AUTH_CLIENT_CERT) or E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the client certificate's key in PEM, without passphrase.
      - Can also be given by E(K8S_AUTH_CLIENT_KEY) or E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the CA certificates in PEM that the API server's certificate is held against. By default those of the kubeconfig, else the system's.
      - Can also be given by E(K8S_AUTH_CA_CERT) or E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the API server's certificate is verified. By default it is, unless the kubeconfig says otherwise.
      - Can also be given by E(K8S_AUTH_VALIDATE_CERTS) or E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of a proxy to reach the API server through. By default the C(proxy-url) of the kubeconfig, else E(HTTPS_PROXY).
      - Can also be given by E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Comma-separated names, domains, addresses and CIDRs that are reached without proxy. By default E(NO_PROXY) where the proxy is E(HTTPS_PROXY).
      - Can also be given by E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User and password for the proxy, joined by a colon.
          - Can also be given by E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User and password of a basic authentication header for the proxy, joined by a colon.
          - Can also be given by E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - User agent that the proxy is told.
          - Can also be given by E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Whether refreshed tokens (C(auth-provider) of the kubeconfig) are written back to the kubeconfig.
      - Can also be given by E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description:
      - User to act as.
      - Can also be given by E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as.
      - Can also be given by E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - kubernetes >= 24.2.0 (of which urllib3 and PyYAML suffice, unless a credential plug-in has to be run)
notes:
  - Options, aliases and environment variables are those of C(kubernetes.core). A module's option goes before the environment variable,
    and both before what the kubeconfig says.
  - Environment variables are those of the process that the module runs in.
"""

    TIMEOUT = r"""
options:
  timeout:
    description:
      - Seconds that one request to the API server may take.
    type: float
    default: 30.0
"""
