# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACME servers outside of a running lab's cluster, a name server for them, and a proxy: Let's Encrypt's Pebble, and tinyproxy.

    outside = Outside(lab)
    server = outside.acme_server("acme.lab.example.net", authority)      # https://acme.lab.example.net/dir, at an address of its own
    outside.only_through_the_proxy(server)                               # pods' packets to it are dropped, the proxy's are not
    outside.record("acme-v02.api.letsencrypt.org.wild.example.net", "172.31.1.220")

Pods ask this name server if their program is started through `as_pod_resolves`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import addresses, build, cert_manager, pki, tools
from .api import wait
from .cert_manager import CertManager
from .errors import LabError
from .lifecycle import Lab
from .pods import Pods, Program

_MODULE = "github.com/letsencrypt/pebble/v2"
_PACKAGES = {name: f"{_MODULE}/cmd/{name}" for name in ("pebble", "pebble-challtestsrv")}
_FIRST_HOST = 200  # of the hosts outside; url webhooks have the ones before
# What is really far away has an address that no private network has: one of those that Let's Encrypt has had.
_PUBLIC = "172.65.32."
_MANAGEMENT = 8055
PROXY = f"http://{addresses.PROXY}:{addresses.PROXY_PORT}"
# Asks for a URL, prints what it gets: the lab's own Python, inside its network.
_POST = "import sys, urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], sys.argv[2].encode(), timeout=5).read()"
_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"


@dataclass(frozen=True)
class AcmeServer:
    """A Pebble. `ca`: the PEM that its own certificate is trusted by."""

    host: str
    address: str
    ca: str

    @property
    def directory(self) -> str:
        return f"https://{self.host}/dir"


def ensure(log: Callable[[str], None] = lambda dummy: None) -> Path:
    """Return the folder with Pebble's programs, built if needed (15 s, once)."""
    return build.ensure_programs("pebble", _PACKAGES, log)


class Outside:
    """What stands outside of one lab's cluster."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._home = ensure()
        self._folder = lab.state / "outside"
        self._folder.mkdir(exist_ok=True)
        self._next = _FIRST_HOST
        lab.running.namespace.check(["ip", "route", "add", "local", f"{_PUBLIC}0/24", "dev", "lo", "src", addresses.CONTROL_PLANES[addresses.FIRST]])
        self.dns = self._host()
        command = [str(self._home / "pebble-challtestsrv"), "-defaultIPv4=", "-defaultIPv6=", f"-dnsserver={self.dns}:53", "-doh=", "-http01=", "-https01="]
        lab.running.start("outside-dns", [*command, "-tlsalpn01=", f"-management={self.dns}:{_MANAGEMENT}"])
        self._listens(self.dns, _MANAGEMENT)

    def authority(self, common_name: str) -> pki.Pair:
        """A certificate authority that nobody knows yet."""
        return pki.make_authority(common_name, datetime.now(timezone.utc))

    def acme_server(self, host: str, authority: pki.Pair, *, public: bool = False, blocked: Iterable[str] = ()) -> AcmeServer:
        """Start a Pebble for a name, with a certificate of this authority; it believes that every challenge is answered, and refuses `blocked` domains."""
        address = f"{_PUBLIC}{self._next}" if public else self._host()
        certificate, key = pki.issue(authority, host, datetime.now(timezone.utc), names=[host]).write(self._folder, host)
        config = {
            "listenAddress": f"{address}:443",
            "managementListenAddress": f"{address}:15000",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": 80,
            "tlsPort": 443,
            "domainBlocklist": list(blocked),
        }
        path = self._folder / f"{host}.json"
        path.write_text(json.dumps({"pebble": config}), encoding="utf-8")
        environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        self._lab.running.start(f"pebble-{host}", [str(self._home / "pebble"), f"-config={path}"], environment=environment)
        self._listens(address, 443)
        self.record(host, address)
        return AcmeServer(host, address, authority.certificate_pem)

    def free_address(self) -> str:
        """An address where nobody listens."""
        return self._host()

    def record(self, name: str, address: str) -> None:
        body = json.dumps({"host": f"{name}.", "addresses": [address]})
        self._run(_POST, f"http://{self.dns}:{_MANAGEMENT}/add-a", body)

    def only_through_the_proxy(self, *servers: AcmeServer) -> None:
        """Drop what pods send to these; what the proxy sends comes from the node."""
        rules = [f"-A INPUT -i pod+ -d {server.address} -p tcp --syn -j DROP" for server in servers]
        self._lab.running.namespace.check(["iptables-restore", "--noflush"], "\n".join(["*filter", *rules, "COMMIT", ""]))

    def start_proxy(self) -> None:
        """A tinyproxy at PROXY that lets everybody out to port 443, and nowhere else."""
        tools.ensure(("tinyproxy",), lambda dummy: None)
        lines = [f"Port {addresses.PROXY_PORT}", f"Listen {addresses.PROXY}", "Timeout 60", "MaxClients 100", "LogLevel Info", "ConnectPort 443", ""]
        path = self._folder / "tinyproxy.conf"
        path.write_text("\n".join(lines), encoding="ascii")
        self._lab.running.start("outside-proxy", [str(self.as_pod_resolves("tinyproxy")), "-d", "-c", str(path)])
        self._listens(addresses.PROXY, addresses.PROXY_PORT)

    def as_pod_resolves(self, program: Path | str, *search: str) -> Path:
        """A program that runs `program` where the name server is this one, with these search domains: a pod's /etc/resolv.conf."""
        name = Path(program).name
        resolver = self._folder / f"{name}.resolv.conf"
        searches = f"search {' '.join(search)}\n" if search else ""
        resolver.write_text(f"nameserver {self.dns}\n{searches}options ndots:5 timeout:1 attempts:1\n", encoding="ascii")
        script = self._folder / name
        real = "$(readlink -f /etc/resolv.conf)"
        script.write_text(
            f'#!/bin/sh\nexec unshare --mount --propagation private sh -c \'mount --bind {resolver} "{real}" && exec "$@"\' sh {program} "$@"\n',
            encoding="ascii",
        )
        script.chmod(0o755)
        return script

    def _host(self) -> str:
        self._next += 1
        return addresses.outside(self._next - 10)

    def _listens(self, address: str, port: int) -> None:
        def connects() -> bool:
            return self._lab.run([sys.executable, "-c", _CONNECT, address, str(port)], capture_output=True).returncode == 0

        wait(f"{address}:{port} listens", connects, timeout=20, pause=0.1)

    def _run(self, code: str, *arguments: str) -> None:
        done = self._lab.run([sys.executable, "-c", code, *arguments], capture_output=True)
        if done.returncode:
            raise LabError(f"{arguments[0]}: {done.stderr.strip().splitlines()[-1]}")


def cert_manager_outside(lab: Lab, outside: Outside, values: dict[str, Any], *search: str) -> CertManager:
    """A cert-manager whose controller asks the name server of `outside`, with these search domains."""
    found = CertManager(lab, values=values)
    home = cert_manager.ensure()
    asks_the_cluster = ("--kubeconfig={kubeconfig}",)
    programs = {
        "cert-manager-webhook": Program(home / "webhook", asks_the_cluster),
        "cert-manager-cainjector": Program(home / "cainjector"),
        "cert-manager-controller": Program(outside.as_pod_resolves(home / "controller", *search), asks_the_cluster),
    }
    found.pods = Pods(lab, programs)
    return found
