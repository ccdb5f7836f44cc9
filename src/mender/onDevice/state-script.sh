#!/bin/sh
# mender-docker-delta: rebuilds the images of this artifact from the layers on the device and the deltas in the payload.
PERSISTENT_STORE=/data/mender-docker-compose
DOCKER_CMD=docker
# shellcheck disable=SC1091
if (. /etc/mender/mender-docker-compose.conf) > /dev/null 2>&1; then
  . /etc/mender/mender-docker-compose.conf
fi
tree=/var/lib/mender/modules/v3/payloads/0000/tree
payload=$tree/files/images.tar.gz
work=$tree/mender-docker-delta
plan=$work/images/plan
why=$work.why

say() { echo "mender-docker-delta: $*" >&2; }

# Ends the rebuilding, with the reason
stop() {
  say "$*"
  echo "$*" > "$why"
  exit 1
}

# DOCKER_CMD may be several words, as the module allows
# shellcheck disable=SC2086
engine() { $DOCKER_CMD "$@" < /dev/null; }

# The module's own first step. A second run finds nothing left to move.
first_step() {
  if [ -d "$PERSISTENT_STORE/current" ]; then
    rm -rf "$PERSISTENT_STORE/previous"
    mv "$PERSISTENT_STORE/current" "$PERSISTENT_STORE/previous"
  fi
}

check_tools() {
  for tool in tar xdelta3 gzip sha256sum df cut wc; do
    command -v "$tool" > /dev/null 2>&1 || stop "$tool is not on this device"
  done
  engine version > /dev/null 2>&1 || stop "the Docker daemon does not answer"
}

# Bytes free where the work is done
free_bytes() {
  df -Pk "$work" | { read -r _ && read -r _ _ _ free _ && echo $((free * 1024)); }
}

# The payload unpacked, the largest old image, and all new layers twice: as files, and as a tar of them
check_space() {
  need=$(wc -c < "$payload")
  largest=0
  while read -r word _ kind _ size _; do
    if [ "$word" = layer ] && [ "$kind" != omit ]; then need=$((need + 2 * size)); fi
  done < "$plan"
  while read -r word _ current _; do
    [ "$word" = image ] || continue
    size=$(engine image inspect --format '{{.Size}}' "$current" 2> /dev/null) || size=0
    if [ "$size" -gt "$largest" ]; then largest=$size; fi
  done < "$plan"
  need=$((need + largest))
  free=$(free_bytes)
  [ "$free" -ge "$need" ] || stop "too little space at $tree: $need bytes needed, $free free"
}

# Unpacks what the device holds of the old image named $1 ("-": a new image, from nothing)
save_current() {
  rm -rf "$work/current"
  mkdir -p "$work/current/blobs/sha256"
  [ "$1" != - ] || return 0
  engine image save "$1" | tar -xf - -C "$work/current" || stop "the old image $1 can't be saved: is it on this device?"
}

# A pulled image is saved compressed on the containerd store, and older engines know other names: go by content
index_current() {
  [ ! -f "$work/current/indexed" ] || return 0
  : > "$work/current/indexed"
  for file in "$work"/current/blobs/sha256/* "$work"/current/*/layer.tar; do
    [ -f "$file" ] || continue
    if gzip -dc < "$file" > "$work/layer" 2> /dev/null; then file=$work/layer; fi
    sum=$(sha256sum < "$file" | cut -d ' ' -f 1)
    [ -f "$work/current/blobs/sha256/$sum" ] || mv "$file" "$work/current/blobs/sha256/$sum"
  done
  rm -f "$work/layer"
}

# Sets "source" to the file of the old layer $1
find_source() {
  source=$work/current/blobs/sha256/$1
  [ -f "$source" ] || index_current
  [ -f "$source" ] || stop "the old image has no layer $1: it is not the one that this artifact was made for"
}

# $1 kind, $2 layer, $3 the layer that a delta was made from; leaves the layer in "folder", unless the daemon has it
make_layer() {
  blob=$folder/blobs/sha256/$2
  case $1 in
    omit)
      if [ -f "$work/current/blobs/sha256/$2" ]; then
        omitted=$((omitted + 1))
        return 0
      fi
      find_source "$2"
      cp "$source" "$blob" ;;
    full) [ -f "$blob" ] || stop "the payload lacks the layer $2" ;;
    delta)
      find_source "$3"
      [ -f "$blob.vcdiff" ] || stop "the payload lacks the delta of layer $2"
      xdelta3 -d -f -s "$source" "$blob.vcdiff" "$blob" || stop "xdelta3 can't decode layer $2"
      rm -f "$blob.vcdiff" "$blob.source"
      decoded=$((decoded + 1)) ;;
    *) stop "unknown kind of layer in the plan: $1" ;;
  esac
  [ "$(sha256sum < "$blob" | cut -d ' ' -f 1)" = "$2" ] || stop "layer $2 came out with other bytes"
}

# Is the new image $1 here already? Its ID is the config's digest $2, or on the containerd store the manifest's, $3
have_image() {
  id=$(engine image inspect --format '{{.Id}}' "$1" 2> /dev/null) || return 1
  [ "$id" = "sha256:$2" ] || [ "$id" = "sha256:$3" ]
}

# The new image takes its name from what bears it now, and a rollback would start the new one: note the old one, if there is any
keep_name() {
  [ -d "$PERSISTENT_STORE/previous" ] || return 0
  kept=mender-docker-delta/previous-$1:kept
  engine image tag "$2" "$kept" 2> /dev/null || return 0
  echo "$kept $2" >> "$PERSISTENT_STORE/previous/kept-names"
}

# Gives the old images their names back, before the module starts the old application again
restore_names() {
  for list in "$PERSISTENT_STORE/previous/kept-names" "$PERSISTENT_STORE/cleanup/kept-names"; do
    [ -f "$list" ] || continue
    while read -r kept name; do
      if engine image tag "$kept" "$name"; then engine image rm "$kept" > /dev/null; fi
    done < "$list"
    rm -f "$list"
  done
}

# $1 number, $2 old name or "-", $3 new name, $4 config, $5 manifest; leaves ready/images/$1.tar
make_image() {
  folder=$work/images/$1
  decoded=0
  omitted=0
  if have_image "$3" "$4" "$5"; then
    rm -f "$folder"/blobs/sha256/*.vcdiff "$folder"/blobs/sha256/*.source
    while read -r word number _ layer _; do
      if [ "$word $number" = "layer $1" ]; then rm -f "$folder/blobs/sha256/$layer"; fi
    done < "$plan"
    say "$3 is on this device already"
  else
    save_current "$2"
    while read -r word number kind layer _ from; do
      if [ "$word $number" = "layer $1" ]; then make_layer "$kind" "$layer" "$from"; fi
    done < "$plan"
    keep_name "$1" "$3"
    say "$3: $decoded layers decoded, $omitted left out as the daemon has them"
  fi
  rm -rf "$work/current"
  tar -cf "$work/ready/images/$1.tar" -C "$folder" blobs index.json manifest.json oci-layout
  rm -rf "$folder"
}

pack() {
  { tar -cf - -C "$work/ready" images || : > "$work/failed"; } | gzip -1 > "$work/ready.tar.gz"
  [ ! -f "$work/failed" ] || stop "the rebuilt images can't be packed"
  mv "$work/ready.tar.gz" "$payload"
}

rebuild() {
  check_tools
  rm -rf "$work" "$why"
  mkdir -p "$work/ready/images"
  tar -tzf "$payload" > "$work/list" || stop "the payload can't be read"
  if ! grep -qx images/plan "$work/list"; then
    say "the payload is rebuilt already"
    return 0
  fi
  tar -xzf "$payload" -C "$work" images/plan
  [ "$(head -n 1 "$plan")" = "mender-docker-delta 1" ] || stop "the payload is of another version"
  [ "$(tail -n 1 "$plan")" = end ] || stop "the plan in the payload is cut off"
  check_space
  tar -xzf "$payload" -C "$work"
  while read -r word number current new config manifest; do
    if [ "$word" = image ]; then make_image "$number" "$current" "$new" "$config" "$manifest"; fi
  done < "$plan"
  pack
}

install() {
  first_step
  (set -eu; rebuild)
  status=$?
  if [ "$status" -ne 0 ]; then
    reason=$(cat "$why" 2> /dev/null || echo "an unexpected failure, perhaps a full disk")
    rm -rf "$work"
    echo "mender-docker-delta: $reason" > "$payload"
    say "the payload is refused, so that the old application goes on"
  fi
  rm -rf "$work" "$why"
}

case $0 in
  *ArtifactRollback*) restore_names ;;
  *) install ;;
esac
exit 0
