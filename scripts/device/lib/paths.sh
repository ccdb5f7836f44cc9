# shellcheck shell=bash disable=SC2034,SC2154
# Where the devices live; sourced by every script here, which sets `here` to this folder's parent.
# DEVICE_HOME: all state (git-ignored). DEVICE: the device's name when `-n NAME` is not given.
home=${DEVICE_HOME:-$(cd "$here/../.." && pwd)/.device}
rootfs=$home/rootfs
name=${DEVICE:-graph}

fail() { echo "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || fail "the test device needs root (namespaces, mounts, a Docker engine): run as root, or with SKIP_DEVICE=1"; }

need_name() {
  case $name in ''|.*|*[!a-z0-9-]*) fail "device name '$name': expected lower case letters, digits and '-'";; esac
  device=$home/dev/$name
}

# Is the device's init the very process recorded (pid and start time)?
alive() {
  local pid started words
  [ -f "$device/init.pid" ] || return 1
  read -r pid started < "$device/init.pid"
  { read -r words < "/proc/$pid/stat"; } 2> /dev/null || return 1
  # The name of the process, in parentheses, may have spaces.
  read -r -a words <<< "${words##*) }"
  [ "${words[19]}" = "$started" ]
}

init_pid() { local pid; read -r pid _ < "$device/init.pid"; echo "$pid"; }

# Does its Docker engine answer?
answers() { alive && [ -S "$device/run/docker.sock" ] && nsenter -t "$(init_pid)" -m -p -n -u -i -r -w -- /usr/bin/docker version > /dev/null 2>&1; }
