#!/bin/sh
# Write a list of what is below /etc to $1: name, type, mode, owner, group, target, content.
set -eu
find /etc -xdev -printf '%p %y %m %u %g %l\n' | sort > "$1"
find /etc -xdev -type f -exec sha256sum {} + | sort >> "$1"
