#!/bin/sh
# Print the proxy variables of the process of unit $1, sorted.
set -eu
pid=$(systemctl show --property=MainPID --value "$1.service")
tr '\0' '\n' < "/proc/$pid/environ" > /srv/environ
grep -i proxy /srv/environ | sort || true
