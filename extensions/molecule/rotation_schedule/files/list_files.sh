#!/bin/sh
# Write a list of all files to $1: name, type, mode, owner, group, target. Without what any run of Ansible, or systemd itself, makes.
set -eu
find / -xdev \( -path /root/.ansible -o -path /tmp -o -path /var/tmp -o -path /run -o -path /proc -o -path /sys -o -path /dev -o -path /srv/before -o -path /srv/after \) -prune \
    -o -printf '%p %y %m %u %g %l\n' | sort > "$1"
