# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library that reads certificates, and what a module says where it is missing. PRIVATE to the collection."""

from __future__ import annotations

import sys
import traceback

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

LIBRARY = "cryptography >= 42.0.0"

try:
    import cryptography

    MISSING = None
except ImportError:
    MISSING = traceback.format_exc()


def require_cryptography(module: AnsibleModule) -> None:
    """Ends the module with a message that says the way out, unless the library is there and new enough."""
    if MISSING:
        module.fail_json(msg=missing_required_lib(LIBRARY), exception=MISSING)
    if int(cryptography.__version__.split(".")[0]) < 42:
        module.fail_json(msg=f"{LIBRARY} is needed; {sys.executable} has {cryptography.__version__}. Update it, or set ansible_python_interpreter.")
