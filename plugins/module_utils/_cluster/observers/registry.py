# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which observers there are, and on which clusters each is worth its price. PRIVATE to the collection.

Those of applications are imported (and compiled, on every task) only where one of their API groups is served, or where a dump may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer


def _platform() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.platform import Platform

    return Platform()


def _network_policies() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.network_policies import NetworkPolicies

    return NetworkPolicies()


def _components() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.control_plane import Components

    return Components()


def _admission() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.admission_metrics import AdmissionMetrics

    return AdmissionMetrics()


def _policies() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.policies import Policies

    return Policies()


def _cert_manager() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.cert_manager import CertManager

    return CertManager()


def _acme() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.acme import Acme

    return Acme()


def _etcd() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.etcd import Etcd

    return Etcd()


def _certificate_store() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.certificate_store import CertificateStore

    return CertificateStore()


def _istio() -> Observer:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.istio import Istio

    return Istio()


_CERT_MANAGER = frozenset({"cert-manager.io", "acme.cert-manager.io"})
# (API groups of which one must be served, or none where it is always worth it; how to make it)
_OBSERVERS: tuple[tuple[frozenset[str], Callable[[], Observer]], ...] = (
    (frozenset(), _platform),
    (frozenset(), _network_policies),
    (frozenset(), _components),
    (frozenset(), _admission),
    (frozenset(), _policies),
    (frozenset(), _etcd),
    (_CERT_MANAGER | {"certmanager.k8s.io"}, _cert_manager),
    (_CERT_MANAGER, _acme),
    (_CERT_MANAGER, _certificate_store),
    (frozenset(("networking.istio.io", "security.istio.io", "mesh.cloud.google.com")), _istio),
)


def always() -> list[Observer]:
    return [make() for groups, make in _OBSERVERS if not groups]


def of_groups(served: Iterable[str] | None) -> list[Observer]:
    """Those of the applications that a cluster with these API groups may have; all of them where the groups are not known."""
    known = None if served is None else frozenset(served)
    return [make() for groups, make in _OBSERVERS if groups and (known is None or groups & known)]
