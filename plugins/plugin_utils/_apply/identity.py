# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of runs and of those who make them. PRIVATE to the collection."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from datetime import datetime, timezone


def new_run() -> str:
    """A name that sorts by time and is a label's value and part of an object's name: `20261120t180000-4f2a91`."""
    return f"{datetime.now(timezone.utc):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"


def holder(run: str) -> str:
    """Who makes the run, for others who find the lock: user, host and process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} pid {os.getpid()} ({run})"
