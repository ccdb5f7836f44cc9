#!/bin/sh
# Tells what a device has, as lines `key: value` between a first line and `end`. Reads only: it
# writes no file, starts no container and asks no network. POSIX sh, for dash and busybox ash.
#
# Over ssh it is the standard input of `sh -s`. In a probe artifact it is a state script: then it
# reports to stderr, which the client puts into the deployment log, removes itself, and fails on
# purpose, so that the client installs nothing.
set -u
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C

has() { command -v "$1" > /dev/null 2>&1; }

# say KEY TEXT: one line; control characters and everything after 300 characters are left out
say() {
  text=$(printf '%s' "$2" | tr '\n\t' '  ' | tr -d '\000-\037\177' | cut -c1-300)
  [ -z "$text" ] || printf '%s: %s\n' "$1" "$text"
}

# A daemon that hangs must not hang the probe.
limited() { if has timeout; then timeout 20 "$@"; else "$@"; fi; }

first_line() { "$@" 2> /dev/null < /dev/null | head -n 1; }

# kind PROGRAM: busybox, gnu or other; nothing if it is not there
kind() {
  has "$1" || return 0
  case $("$1" --version 2>&1 < /dev/null | head -n 3) in
    *usy[Bb]ox*) echo busybox;;
    *GNU* | *"Free Software Foundation"*) echo gnu;;
    *) echo other;;
  esac
}

# existing PATH: the path, or the nearest folder above it that exists
existing() {
  path=$1
  while [ ! -e "$path" ]; do path=$(dirname "$path"); done
  echo "$path"
}

# place KEY PATH: where a folder lies, what is free there in bytes, and if programs may run there
place() {
  folder=$(existing "$2")
  line=$(df -Pk "$folder" 2> /dev/null | tail -n 1)
  mount=$(echo "$line" | awk '{ print $6 }')
  free=$(echo "$line" | awk '{ printf "%.0f", $4 * 1024 }')
  options=$(awk -v at="$mount" '$2 == at { found = $4 } END { print found }' /proc/mounts 2> /dev/null)
  say "$1.path" "$2"
  say "$1.mount" "$mount"
  [ -z "$line" ] || say "$1.free" "$free"
  case ",$options," in *,noexec,*) say "$1.noexec" yes;; esac
  case ",$options," in *,ro,*) say "$1.readonly" yes;; esac
}

client() {
  for name in mender-update mender; do
    has "$name" || continue
    say client "$name"
    say client.version "$(first_line limited "$name" --version)"
    limited "$name" show-provides 2> /dev/null < /dev/null | grep -E '^[A-Za-z0-9._-]+=' | head -n 40 |
      while IFS= read -r line; do say "provides.${line%%=*}" "${line#*=}"; done
    break
  done
  say device_type "$(sed -n 's/^device_type=//p' /var/lib/mender/device_type 2> /dev/null | head -n 1)"
  for module in /usr/share/mender/modules/v3/*; do
    if [ -f "$module" ]; then say "module.${module##*/}" "$(sha256sum "$module" | cut -c1-16)"; fi
  done
}

# The folder of containerd's content store: a configuration may have moved it, and dockerd may run
# a containerd of its own below its root.
content_store() {
  configured=
  if has containerd; then
    configured=$(limited containerd config dump 2> /dev/null < /dev/null | sed -n "s/^root *= *[\"']\(.*\)[\"']/\1/p" | head -n 1)
  fi
  for root in ${configured:+"$configured"} /var/lib/containerd "$1/containerd/daemon"; do
    if [ -d "$root/io.containerd.content.v1.content" ]; then echo "$root"; return; fi
  done
}

engine() {
  docker=docker
  conf=/etc/mender/mender-docker-compose.conf
  if [ -r "$conf" ]; then
    asked=$(sed -n 's/^ *\(export  *\)\{0,1\}DOCKER_CMD=["'\'']\{0,1\}\([A-Za-z0-9._\/-]*\).*/\2/p' "$conf" | tail -n 1)
    docker=${asked:-docker}
  fi
  has "$docker" || return 0
  say docker "$docker"
  say docker.version "$(first_line limited "$docker" version --format '{{.Server.Version}}')"
  say docker.platform "$(first_line limited "$docker" version --format '{{.Server.Os}}/{{.Server.Arch}}')"
  say docker.api "$(first_line limited "$docker" version --format '{{.Server.APIVersion}}')"
  say compose.version "$(first_line limited "$docker" compose version --short)"
  info=$(limited "$docker" info --format '{{.DockerRootDir}}|{{.Driver}}|{{.DriverStatus}}' 2> /dev/null < /dev/null)
  [ -n "$info" ] || return 0
  root=${info%%|*}
  case $info in
    *io.containerd.snapshotter*)
      say store containerd
      content=$(content_store "$root")
      [ -z "$content" ] || place store "$content";;
    *)
      say store classic
      place store "$root";;
  esac
}

decoder() {
  has xdelta3 || return 0
  say xdelta3.version "$(xdelta3 -V 2>&1 < /dev/null | head -n 1)"
  case $(xdelta3 config 2>&1 < /dev/null) in
    *SECONDARY_LZMA=1*) say xdelta3.lzma yes;;
    *) say xdelta3.lzma no;;
  esac
}

report() {
  echo 'mender-docker-delta probe 1'
  say machine "$(uname -sm)"
  say user "$(id -u)"
  client
  engine
  decoder
  for tool in jq tree gzip tar sha256sum awk; do say "tool.$tool" "$(kind "$tool")"; done
  place work /var/lib/mender
  place scripts /var/lib/mender/scripts
  say memory.free "$(awk '/^MemAvailable:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo 2> /dev/null)"
  say memory.total "$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo 2> /dev/null)"
  say clock "$(date +%s)"
  echo end
}

case ${0##*/} in
  ArtifactInstall_Enter_*)
    report >&2 < /dev/null
    rm -f "$0"
    echo 'This was a probe: it fails on purpose, and nothing is installed.' >&2
    exit 1;;
  *) report < /dev/null;;
esac
