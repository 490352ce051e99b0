"""Run `ansible-test sanity` in a copy of the tree.

ansible-test resolves its working directory and so refuses a checkout whose path does not end in `ansible_collections/kubeops/webhook_doctor`;
its virtual environments and its pip live below a home of their own, so that nothing is left in the user's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# ansible-test downloads a script that installs pip; ensurepip does the same without a download.
# As a subprocess: in this process ensurepip would hide pip's configuration from the pip that follows.
GET_PIP = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
"""
# One per ansible-core: 2.19 asks for the first, 2.21 for the second.
GET_PIP_NAMES = ("get_pip_24_2.py", "get_pip_25_2.py")


def copy_tree(target: Path) -> None:
    """Copy what git tracks or would track (so that a change is tested before it is committed)."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    if target.exists():
        shutil.rmtree(target)
    for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
        source = ROOT / name
        if not source.is_file() or source.is_symlink():
            continue
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, destination)
    # ansible-test asks git which files there are; without a repository of its own the copy would be what the checkout ignores: nothing.
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the copy and for ansible-test's virtual environments")
    parser.add_argument("--python", required=True, help="controller Python, for instance 3.13")
    parser.add_argument("arguments", nargs="*", help="more arguments for ansible-test sanity, after --")
    options = parser.parse_args()

    home = options.cache / "home"
    pip_cache = home / ".ansible" / "test" / "cache"
    pip_cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP_NAMES:
        (pip_cache / name).write_text(GET_PIP, encoding="utf-8")

    tree = options.cache / "ansible_collections" / "kubeops" / "webhook_doctor"
    copy_tree(tree)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_") and name != "PYTHONPATH"}
    environment.update(HOME=str(home), LC_ALL="C.UTF-8")
    command = ["ansible-test", "sanity", "--venv", "--python", options.python, "--color", "no", *options.arguments]
    return subprocess.run(command, cwd=tree, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
