# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to one server for one exchange, and in how many ways none comes about. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, dial
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import TlsStream

TIMEOUT = 5.0  # seconds for one exchange


class NoAnswer(Exception):
    """No answer came; the text says how far it got."""


@contextmanager
def connected(host: str, port: int, context: ssl.SSLContext | None, deadline: Deadline) -> Iterator[Stream]:
    """A stream; without `context` there is no TLS. No name is sent along (SNI), so the server's own certificate comes.

    Raises NoAnswer, also for what goes wrong while the stream is used.
    """
    try:
        raw = dial(host, port, deadline, Trace())
        try:
            if context is None:
                yield raw
            else:
                secured = TlsStream(raw, context, "", has_certificate=True)
                secured.handshake(deadline)
                yield secured
        finally:
            raw.close()
    except ProbeFailed as error:
        raise NoAnswer(error.error) from error
    except OutOfTime:
        raise NoAnswer("no complete answer in time") from None
    except ssl.SSLError as error:
        raise NoAnswer(f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}") from error
    except OSError as error:
        raise NoAnswer((error.strerror or str(error)).lower()) from error
