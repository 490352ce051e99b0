# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

from . import acme, build, cert_manager, faults, gatekeeper, kubeadm, kwok, options, paths, texts
from .errors import LabError
from .lifecycle import Lab
from .options import Options
from .versions import choose, known


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return int(given.act(given) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; what had been started is ended", file=sys.stderr)
        return 130


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt  # the same way out as Ctrl-C, past every `finally`


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab.py", description="A real Kubernetes control plane with faulty webhooks, in a network namespace of its own.")
    default = os.path.relpath(paths.DEFAULT_STATE)
    parser.add_argument("--state", type=Path, default=paths.DEFAULT_STATE, help=f"folder of this lab (default: {default}); another folder is another lab")
    commands = parser.add_subparsers(required=True, metavar="command")

    up = commands.add_parser("up", help="start it")
    _version(up)
    up.add_argument("--routing", choices=faults.ROUTINGS, default="endpoint", help="how the API server reaches Services (default: endpoint)")
    up.add_argument("--faults", default="all", help='"all", "none", or names and families separated by commas (default: all)')
    up.add_argument("--proxy", choices=options.PROXIES, help="a forward proxy in the API server's HTTPS_PROXY that misbehaves in this way")
    up.add_argument("--api-servers", type=int, choices=(1, 2), default=1)
    up.add_argument("--node", action="store_true", help="a node with a real kubelet, containerd and scheduler, so that Deployments run; needs root")
    up.add_argument("--control-plane", type=int, choices=(1, 2, 3), default=0, help="so many control-plane nodes with kubelets; needs root")
    up.add_argument("--etcd-members", type=int, choices=(1, 3), default=1, help="of the control-plane nodes' etcd (default: 1)")
    up.add_argument("--broken-instance", choices=options.BROKEN_INSTANCES, help="what is wrong with the second API server")
    up.set_defaults(act=_up)

    commands.add_parser("down", help="end it").set_defaults(act=_down)
    commands.add_parser("status", help="what runs, as JSON").set_defaults(act=_status)
    show = commands.add_parser("kubeconfig", help="print the path of a kubeconfig; it works inside the lab's network (exec)")
    show.add_argument("--user", default="admin", help="admin, diagnose, diagnose-probing (default: admin)")
    show.set_defaults(act=_kubeconfig)
    nodes = commands.add_parser("inventory", help="write an Ansible inventory of the control-plane nodes (--control-plane) and print its path")
    nodes.set_defaults(act=_inventory)
    inside = commands.add_parser("exec", help="run a command inside the lab's network: lab.py exec -- kubectl get nodes")
    inside.add_argument("--user", default="admin", help="whose kubeconfig (default: admin)")
    inside.add_argument("command", nargs="+")
    inside.set_defaults(act=_exec)
    ask = commands.add_parser("texts", help="make every target's call and print what the API server says, as JSON lines")
    ask.set_defaults(act=_texts)
    commands.add_parser("faults", help="list the faults").set_defaults(act=_faults)
    make = commands.add_parser("build", help="build the binaries of a version")
    _version(make)
    make.add_argument("--all", action="store_true", help="of every version, and of the applications that tests use")
    make.set_defaults(act=_build)
    pin = commands.add_parser("lock", help="pin the modules of a version that was added to versions.yml")
    pin.add_argument("kubernetes")
    pin.set_defaults(act=lambda given: build.lock(choose(given.kubernetes, paths.VERSIONS), _say))
    return parser


def _version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubernetes", metavar="VERSION", help="a version of tests/lab/versions.yml (default: its default)")


def _up(given: argparse.Namespace) -> None:
    chosen = Options(given.kubernetes, given.routing, given.faults, given.proxy, given.api_servers, given.broken_instance, node=given.node)
    chosen = replace(chosen, control_plane=given.control_plane, etcd_members=given.etcd_members)
    Lab(given.state, chosen, _say).up()
    state = "" if given.state == paths.DEFAULT_STATE else f" --state {given.state}"
    _say(f"try: python tests/lab/lab.py{state} exec -- kubectl get validatingwebhookconfigurations")


def _down(given: argparse.Namespace) -> None:
    Lab(given.state).down()
    _say("down")


def _status(given: argparse.Namespace) -> None:
    print(json.dumps(Lab.attach(given.state).status(), indent=2))


def _kubeconfig(given: argparse.Namespace) -> None:
    print(Lab.attach(given.state).kubeconfig_for(given.user))


def _inventory(given: argparse.Namespace) -> None:
    print(Lab.attach(given.state).inventory())


def _exec(given: argparse.Namespace) -> int:
    lab = Lab.attach(given.state)
    return subprocess.run(lab.command(given.command), env=lab.environment(given.user), check=False).returncode


def _texts(given: argparse.Namespace) -> int:
    return texts.ask(Lab.attach(given.state))


def _faults(dummy: argparse.Namespace) -> None:
    for fault in faults.load(paths.FAULTS):
        found = ", ".join(f"{routing}: {expected.code or 'nothing'}" for routing, expected in fault.expect.items())
        print(f"{fault.name:32} {fault.family:14} {found:40} {fault.summary}")


def _build(given: argparse.Namespace) -> None:
    made = [build.ensure_own(name, _say) for name in build.OWN]
    for version in known(paths.VERSIONS) if given.all else [choose(given.kubernetes, paths.VERSIONS)]:
        made += build.ensure(version, _say).values()
        if given.all:
            made += kubeadm.ensure(version, _say).values()
    if given.all:
        made += [cert_manager.ensure(_say), acme.ensure(_say), gatekeeper.ensure(_say), kwok.ensure(_say), build.ensure_own("istiod", _say)]
    for path in made:
        print(path)
