# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell Prometheus when the loopback certificate of this node's kube-apiserver ends.

kube-apiserver makes that certificate once, at start, and keeps it in memory only: no file and no metric of Kubernetes' own shows it. A TLS handshake
that asks for the name `apiserver-loopback-client` does. Nothing is sent over the connection, no credentials are needed, and nothing is changed.

Needs nothing but Python 3.9 or newer. Run it as root to find the API server by itself, or with --address as anybody.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import re
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

SERVER_NAME = "apiserver-loopback-client"
# k8s.io/client-go util/cert/cert.go: the number is when the process that made it was started.
COMMON_NAME = re.compile(r"apiserver-loopback-client@([0-9]+)")
# The supervisor of RKE2 and k3s: it would put any name that it is asked for into the cluster's serving certificate.
SUPERVISOR_PORT = 9345
K3S_PORT = 6444

EPILOG = """\
metrics (gauges; `address` is where the API server was asked):
  kube_apiserver_loopback_cert_probe_success{address}       1: the certificate was read, 0: it was not (the log says why)
  kube_apiserver_loopback_cert_not_after_seconds{address}   when it ends
  kube_apiserver_loopback_cert_not_before_seconds{address}  when it began; an hour before the process was started
  kube_apiserver_loopback_cert_start_seconds{address}       when the process that made it was started
  kube_apiserver_loopback_cert_last_run_timestamp_seconds   when this program looked last

exit codes:
  0  the metrics are written, also where an API server does not answer: that is probe_success 0
  1  they could not be written, or no API server was found on this node
  2  the arguments are wrong, or an address must not be asked (the supervisor's port 9345; on a server of k3s any but its API server's)

examples:
  python3 apiserver_loopback_metrics.py --output -                             look, and print
  python3 apiserver_loopback_metrics.py --address 127.0.0.1:6443 --output /var/lib/node_exporter/textfile_collector/apiserver_loopback.prom
  python3 apiserver_loopback_metrics.py --find                                 print the addresses of the API servers of this node
"""


class NoCertificate(Exception):
    """There is no loopback certificate to be read at an address. The text says why."""


class NotDer(ValueError):
    """The bytes are not the DER form of an X.509 certificate. The text says what was expected."""


class Refused(Exception):
    """An address that must not be asked. The text says why."""


# --- Where the API servers of this node are ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Where an API server is asked."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """`10.0.0.1:6443`, `[2001:db8::1]:6443`, `master-1:6443`. Raises argparse.ArgumentTypeError, whose text argparse shows."""
        host, colon, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not bare or not port.isdigit() or not 0 < int(port) < 65536 or (":" in bare and bare == host):
            raise argparse.ArgumentTypeError(f"{text!r} is not an address; expected HOST:PORT, such as 10.0.0.1:6443 or [2001:db8::1]:6443")
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Found:
    """An API server of this node, and what shows that it is one."""

    address: Address
    because: str


# Files that show an API server where none runs at the moment: distribution, file, port unless a flag says another.
_ARGUMENT_FILES = (
    ("static pod (kubeadm)", "etc/kubernetes/manifests/kube-apiserver.yaml", 6443),
    ("static pod (kubeadm)", "etc/kubernetes/manifests/kube-apiserver.yml", 6443),
    ("static pod (OpenShift)", "etc/kubernetes/manifests/kube-apiserver-pod.yaml", 6443),
    ("static pod (RKE2)", "var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml", 6443),
    ("microk8s", "var/snap/microk8s/current/args/kube-apiserver", 16443),
)
_K3S_SERVER = "var/lib/rancher/k3s/server"
# What comes later wins: k3s puts its flags behind its settings.
_K3S_SETTINGS = ("etc/rancher/k3s/config.yaml", "etc/rancher/k3s/config.yaml.d/*.y*ml", "etc/systemd/system/k3s.service", "etc/init.d/k3s")
_K0S_SETTINGS = ("etc/k0s/k0s.yaml", "etc/k0s/config.yaml")


def find(root: Path = Path("/")) -> list[Found]:
    """The API servers of this node: from its processes, else from its files. Empty where there is none."""
    found = list(dict.fromkeys(_from_processes(root))) or list(_from_files(root))[:1]
    return list({one.address: one for one in found}.values())


def k3s_port(root: Path) -> int | None:
    """The port of a k3s server's API server (on 127.0.0.1 only); null where this node is no server of k3s."""
    try:
        if not (root / _K3S_SERVER).is_dir():
            return None
    except PermissionError:
        return None
    port = K3S_PORT
    for pattern in _K3S_SETTINGS:
        for file in sorted(root.glob(pattern)):
            listen = re.search(r"(?m)^[^#\n]*https-listen-port['\"]?[\s:='\"\\]+([0-9]+)", _text(file))
            if listen:  # pkg/daemons/control/server.go: the API server listens one port above
                port = int(listen[1]) + 1
    return port


def check_allowed(address: Address, root: Path) -> None:
    """Raises Refused where asking would change a certificate that is not the API server's own."""
    if address.port == SUPERVISOR_PORT:
        raise Refused(
            f"{address} is the supervisor's port (RKE2, k3s): it would take {SERVER_NAME} into the cluster's serving certificate. Ask the API server's port"
        )
    allowed = k3s_port(root)
    if allowed is not None and address.port != allowed:
        raise Refused(
            f"this node is a server of k3s, whose API server is at 127.0.0.1:{allowed}; {address} would take {SERVER_NAME} into the serving certificate"
        )


def _from_processes(root: Path) -> Iterator[Found]:
    """Only of this network namespace: a node may also run API servers of others, in pods."""
    own_network = _link(root / "proc/self/ns/net")
    for process in sorted((root / "proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        words = [word for word in _text(process / "cmdline").split("\0") if word]
        if not words or _link(process / "ns/net") != own_network:
            continue
        # k3s replaces its title, so that its arguments are one word, or gone
        program, *arguments = words[0].split(" ") + words[1:]
        name = program.rpartition("/")[2]
        if name == "kube-apiserver" or (name == "hyperkube" and arguments[:1] == ["kube-apiserver"]):
            yield Found(_address(" ".join(arguments), 6443), f"process {process.name}, {name}")
        elif name == "kubelite":
            flags = _flags(" ".join(arguments))
            file = flags.get("apiserver-args-file", "/var/snap/microk8s/current/args/kube-apiserver")
            yield Found(_address(_text(root / file.lstrip("/")), 16443), f"process {process.name}, kubelite")
        elif name in ("k3s", "k3s-server") and (name == "k3s-server" or arguments[:1] == ["server"]):
            yield Found(Address("127.0.0.1", k3s_port(root) or K3S_PORT), f"process {process.name}, k3s server")


def _from_files(root: Path) -> Iterator[Found]:
    k3s = k3s_port(root)
    if k3s is not None:
        yield Found(Address("127.0.0.1", k3s), f"/{_K3S_SERVER}")
    for distribution, name, port in _ARGUMENT_FILES:
        if (root / name).is_file():
            yield Found(_address(_text(root / name), port), f"{distribution}, /{name}")
    for name in _K0S_SETTINGS:
        if (root / name).is_file() and (root / "var/lib/k0s/pki/server.crt").exists():
            yield Found(_k0s_address(_text(root / name)), f"k0s, /{name}")


def _address(arguments: str, port: int) -> Address:
    """Of an API server with these arguments: a command line, a manifest, or a file of arguments.

    The loopback address reaches this node's own API server alone, whoever has the control plane's shared address just now.
    """
    flags = _flags(arguments)
    bound = flags.get("bind-address", "")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(bound).is_unspecified:
            bound = ""
    told = flags.get("secure-port", "")
    return Address(bound or "127.0.0.1", int(told) if told.isdigit() else port)


def _k0s_address(settings: str) -> Address:
    """spec.api of k0s.yaml; its API server listens on all addresses unless told onlyBindToAddress."""
    api = re.search(r"(?m)^(\s+)api:\s*\n((?:\1\s+.*\n|\s*\n)*)", settings + "\n")
    section = api[2] if api else ""
    port = re.search(r"(?m)^\s+port:\s*([0-9]+)", section)
    bound = re.search(r"(?m)^\s+address:\s*['\"]?([0-9A-Fa-f.:]+)", section)
    only = re.search(r"(?m)^\s+onlyBindToAddress:\s*true", section)
    return Address(bound[1] if bound and only else "127.0.0.1", int(port[1]) if port else 6443)


def _flags(text: str) -> dict[str, str]:
    """Of these two forms: --flag=value and --flag value; the last one of a name counts, as with Go's pflag."""
    return {name: value.strip("'\"") for name, value in re.findall(r"--(secure-port|bind-address|apiserver-args-file)[=\s]+([^\s,\]]+)", text)}


def _text(path: Path) -> str:
    """Empty where it is not there, or not for us; processes come and go."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


# --- What a certificate says ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """Of a certificate's subject the first common name; times in seconds since 1970."""

    common_name: str | None
    not_before: int
    not_after: int


_SEQUENCE, _SET, _INTEGER, _OBJECT_IDENTIFIER, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x31, 0x02, 0x06, 0x17, 0x18, 0xA0
_COMMON_NAME = bytes([0x55, 0x04, 0x03])  # 2.5.4.3
_STRINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}


def read_certificate(der: bytes) -> Certificate:
    """Raises NotDer. Source: RFC 5280 4.1 and A.1."""
    certificate, _rest = _element(der, _SEQUENCE, "a certificate")
    fields, _rest = _element(certificate, _SEQUENCE, "the part that is signed")
    if fields[:1] == bytes([_VERSION]):
        _version, fields = _element(fields, _VERSION, "the version")
    _serial, fields = _element(fields, _INTEGER, "the serial number")
    _algorithm, fields = _element(fields, _SEQUENCE, "the signature's algorithm")
    _issuer, fields = _element(fields, _SEQUENCE, "the issuer")
    validity, fields = _element(fields, _SEQUENCE, "the validity")
    subject, fields = _element(fields, _SEQUENCE, "the subject")
    not_before, validity = _time(validity)
    not_after, _rest = _time(validity)
    return Certificate(_common_name(subject), not_before, not_after)


def _common_name(subject: bytes) -> str | None:
    while subject:
        names, subject = _element(subject, _SET, "a part of the subject")
        while names:
            name, names = _element(names, _SEQUENCE, "a name of the subject")
            kind, value = _element(name, _OBJECT_IDENTIFIER, "the kind of a name")
            if kind == _COMMON_NAME:
                tag, text, _rest = _any(value)
                if tag not in _STRINGS:
                    raise NotDer(f"the common name has the unknown type {tag:#04x}")
                return text.decode(_STRINGS[tag], "replace")
    return None


def _time(data: bytes) -> tuple[int, bytes]:
    """Seconds since 1970, and what follows. Two digits of a year are of 1950 to 2049 (RFC 5280 4.1.2.5.1)."""
    tag, content, rest = _any(data)
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise NotDer(f"expected a time, found type {tag:#04x}")
    text = content.decode("ascii", "replace")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    if not re.fullmatch(r"[0-9]{14}Z", text):
        raise NotDer(f"{text!r} is not a time as certificates have it (UTC, with seconds)")
    try:
        moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise NotDer(f"{text!r} is no time: {error}") from error
    return int(moment.timestamp()), rest


def _element(data: bytes, tag: int, what: str) -> tuple[bytes, bytes]:
    """Content of the first element, and what follows it."""
    found, content, rest = _any(data)
    if found != tag:
        raise NotDer(f"expected {what} (type {tag:#04x}), found type {found:#04x}")
    return content, rest


def _any(data: bytes) -> tuple[int, bytes, bytes]:
    """Type, content, rest. Source: X.690 8.1, 10.1."""
    if len(data) < 2:
        raise NotDer("it ends too early")
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        if start == 2 or start > 6:
            raise NotDer("an element has no length that DER knows")
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise NotDer("it ends too early")
    return tag, data[start : start + length], data[start + length :]


# --- Looking ----------------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loopback:
    """A loopback certificate: times in seconds since 1970."""

    not_before: int
    not_after: int
    started: int


def look(address: Address, timeout: float) -> Loopback:
    """The loopback certificate that is presented at an address. Raises NoCertificate."""
    # Nobody can verify it: its CA is thrown away when it is made. All ciphers, because the server may allow few and old ones.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLError):  # an OpenSSL that knows no security levels
        context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        connection = socket.create_connection((address.host, address.port), timeout)
        with connection, context.wrap_socket(connection, server_hostname=SERVER_NAME) as secured:
            der = secured.getpeercert(binary_form=True)
    except ssl.SSLError as error:
        raise NoCertificate(f"no TLS handshake: {error}") from error
    except OSError as error:
        raise NoCertificate(f"no connection: {error}") from error
    if not der:
        raise NoCertificate("the server presented no certificate")
    try:
        certificate = read_certificate(der)
    except NotDer as error:
        raise NoCertificate(f"the certificate cannot be read: {error}") from error
    named = COMMON_NAME.fullmatch(certificate.common_name or "")
    if not named:
        raise NoCertificate(
            f"not a loopback certificate: its common name is {certificate.common_name!r}, expected {SERVER_NAME}@ and a number. Is it an API server's own port?"
        )
    return Loopback(certificate.not_before, certificate.not_after, int(named[1]))


def looked(address: Address, timeout: float) -> Loopback | None:
    """As `look`, with a line in the log either way."""
    try:
        loopback = look(address, timeout)
    except NoCertificate as error:
        log(f"{address}: {error}")
        return None
    end = datetime.fromtimestamp(loopback.not_after, timezone.utc)
    log(f"{address}: the loopback certificate ends {end:%Y-%m-%dT%H:%M:%SZ}, in {(loopback.not_after - time.time()) / 86400:.1f} days")
    return loopback


# --- Telling ----------------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Metric:
    """A gauge: its samples are pairs of labels and a value."""

    name: str
    text: str
    samples: list[tuple[Mapping[str, str], float]]


def metrics(seen: Mapping[Address, Loopback | None], at: float) -> list[Metric]:
    """`at`: when it was looked, seconds since 1970. None: it could not be read."""
    prefix = "kube_apiserver_loopback_cert"
    read = [({"address": str(address)}, loopback) for address, loopback in seen.items() if loopback]
    return [
        Metric(
            f"{prefix}_probe_success",
            "Whether the certificate could be read and judged.",
            [({"address": str(address)}, int(loopback is not None)) for address, loopback in seen.items()],
        ),
        Metric(
            f"{prefix}_not_after_seconds",
            "When the loopback certificate of an API server ends, seconds since 1970.",
            [(labels, loopback.not_after) for labels, loopback in read],
        ),
        Metric(
            f"{prefix}_not_before_seconds",
            "When the loopback certificate of an API server began, seconds since 1970.",
            [(labels, loopback.not_before) for labels, loopback in read],
        ),
        Metric(
            f"{prefix}_start_seconds",
            "When the process that made it was started, seconds since 1970.",
            [(labels, loopback.started) for labels, loopback in read],
        ),
        Metric(f"{prefix}_last_run_timestamp_seconds", "When it was looked last, seconds since 1970.", [({}, at)]),
    ]


def exposition(families: Iterable[Metric]) -> str:
    """Prometheus' text format 0.0.4. A metric without samples is left out, its name too."""
    lines = []
    for metric in families:
        if metric.samples:
            lines += [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} gauge"]
            lines += [f"{metric.name}{_labels(labels)} {value:.0f}" for labels, value in metric.samples]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    escape = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
    inside = ",".join(f'{name}="{value.translate(escape)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def write_atomically(path: Path, text: str) -> None:
    """Whole or not at all, readable for all. Raises OSError. The other name does not end in .prom, so that node_exporter never reads it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def log(text: str) -> None:
    """The journal, when systemd runs it."""
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        action="append",
        type=Address.parse,
        help="where an API server is asked; may be given more than once. Without it they are looked for on this node",
    )
    parser.add_argument("--output", metavar="FILE", help="the file for node_exporter's textfile collector, whose name must end in .prom; - prints")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=5.0, help="for a connection, and for each step of the handshake (default: %(default)s)"
    )
    parser.add_argument("--find", action="store_true", help="print the addresses of the API servers of this node, and what shows them, and end")
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the node's file system is, for instance in a container (default: %(default)s)")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    if not options.find and not options.output:
        parser.error("--output FILE is missing (or --output -, to print)")
    if options.output and options.output != "-" and not options.output.endswith(".prom"):
        parser.error(f"--output {options.output}: node_exporter reads only files whose names end in .prom")
    addresses = options.address
    if not addresses:
        found = find(options.root)
        if options.find:
            print("".join(f"{one.address}\t{one.because}\n" for one in found), end="")
        if not found:
            log("no API server was found on this node (as root more can be seen); name its address with --address")
            return 1
        addresses = [one.address for one in found]
    try:
        for address in addresses:
            check_allowed(address, options.root)
    except Refused as refused:
        log(str(refused))
        return 2
    if options.find:
        return 0
    seen = {address: looked(address, options.timeout) for address in addresses}
    text = exposition(metrics(seen, time.time()))
    if options.output == "-":
        print(text, end="")
        return 0
    try:
        write_atomically(Path(options.output), text)
    except OSError as error:
        log(f"{options.output} could not be written: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
