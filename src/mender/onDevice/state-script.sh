#!/bin/sh
# mender-docker-delta: loads the images of this artifact into Docker before the update module stops the old application.
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
# What an unfinished update has loaded, and which names it has moved. It outlives a kill and a power cut.
state=$PERSISTENT_STORE/mender-docker-delta
# The Compose project of what a module undoes that has done nothing
nothing=mender-docker-delta-nothing

say() { echo "mender-docker-delta: $*" >&2; }

# Ends the loading, with the reason. The first one counts: others follow from it.
stop() {
  say "$*"
  [ -f "$why" ] || echo "$*" > "$why"
  exit 1
}

# DOCKER_CMD may be several words, as the module allows
# shellcheck disable=SC2086
engine() { $DOCKER_CMD "$@" < /dev/null; }

# Does the file $1 say that the daemon went away?
lost_docker() { grep -qs 'onnect\|not answer\|EOF *$' "$1"; }

docker_answers() { engine version > /dev/null 2>&1; }

# Sets "found" to the ID of the image $1, or to nothing if it is not here or Docker has no "answer"
find_id() {
  found=
  answer=$(engine image inspect --format '{{.Id}}' "$1" 2>&1) || return 1
  # Docker may warn before it answers.
  found=$(echo "$answer" | tail -n 1)
}

# Does Docker know that it has no image $1? Every other failure leaves it open.
is_missing() { ! find_id "$1" && says_missing; }
says_missing() { echo "$answer" | grep -qi 'no such image\|no such object\|image not known'; }

# The module's own first step. An installation that was never committed makes way for the application before it. It is on
# the disk before anything else happens: a module that finds "current" alone deletes it in a rollback.
first_step() {
  mkdir -p "$state"
  rm -f "$state/new"
  if [ -d "$PERSISTENT_STORE/current" ]; then
    if [ -e "$PERSISTENT_STORE/uncommitted" ] && [ -d "$PERSISTENT_STORE/previous" ]; then
      rm -rf "$PERSISTENT_STORE/current"
    else
      rm -rf "$PERSISTENT_STORE/previous"
      mv "$PERSISTENT_STORE/current" "$PERSISTENT_STORE/previous"
    fi
  fi
  sync "$PERSISTENT_STORE" "$state" 2> /dev/null || sync
}

# Where the old application is: until the commit, and after a rollback
old() {
  if [ -d "$PERSISTENT_STORE/previous" ]; then echo "$PERSISTENT_STORE/previous"; else echo "$PERSISTENT_STORE/current"; fi
}

need() {
  for tool; do
    command -v "$tool" > /dev/null 2>&1 || stop "$tool is not on this device"
  done
}

# --- The payload, read once from its beginning to its end ---

# Not every dd can wait for full blocks. Short ones are never split, as gzip writes multiples of them.
if [ "$(printf xx | dd bs=2 count=1 iflag=fullblock 2> /dev/null)" = xx ]; then full=iflag=fullblock; else full=; fi

# Passes on $1 blocks of 512 bytes
take() {
  count=$1
  if [ -n "$full" ]; then
    dd bs=65536 count=$((count / 128)) "$full" 2> /dev/null
    count=$((count % 128))
  fi
  # shellcheck disable=SC2086
  dd bs=512 count="$count" $full 2> /dev/null
}

# Block number $2 of the file $1, of 512 bytes
block() { dd if="$1" bs=512 skip="$2" count=1 2> /dev/null; }

# How many blocks hold $1 bytes
blocks() { echo $((($1 + 511) / 512)); }

# The zero bytes after a file of $1 bytes in a tar
pad() { dd if=/dev/zero bs=1 count=$(((512 - $1 % 512) % 512)) 2> /dev/null; }

# --- Images in Docker ---

# Is the image $1 here? Its ID is the config's digest $2, or on the containerd store the manifest's, $3. Sets "found" to the
# ID that has this name now, if any.
is_here() { find_id "$1" && { [ "$found" = "sha256:$2" ] || [ "$found" = "sha256:$3" ]; }; }

# The same. Ends the loading if Docker does not answer: an old image that it does not name now would lose its name.
have_image() {
  if is_here "$1" "$2" "$3"; then return 0; fi
  [ -n "$found" ] || says_missing || stop "the Docker daemon does not answer: $answer"
  return 1
}

# The first digits of the digest $1, as a module notes IDs
short() { echo "${1#sha256:}" | cut -c 1-12; }

# Does the application in the folder $1 use an image with one of these IDs?
uses() {
  ids=$1/image_ids
  shift
  for digest; do
    if grep -qs "$(short "$digest")" "$ids"; then return 0; fi
  done
  return 1
}

# Does the module's own cleanup delete an image with one of these IDs?
module_deletes() { uses "$PERSISTENT_STORE/cleanup" "$@" && ! uses "$PERSISTENT_STORE/current" "$@"; }

# The names of the images of the application in the folder $1, in one line with a space around each
names_in() {
  echo " $(sed -n 's/^[[:space:]][[:space:]]*image:[[:space:]]*//p' "$1"/manifests/* 2> /dev/null | tr '\n' ' ')"
}

# Takes the name $1 from its image if that has another one of the names $2. A name of nobody in $2 shows that somebody else
# uses the image, and the last name is left to the module: most modules can't delete an image that has two.
drop_name() {
  tags=$(engine image inspect --format '{{range .RepoTags}}{{.}} {{end}}' "$1" 2> /dev/null) || return 0
  case " $tags" in *" $1 "*) ;; *) return 0 ;; esac
  others=
  for tag in $tags; do
    case "$2" in *" $tag "*) ;; *) return 0 ;; esac
    [ "$tag" = "$1" ] || others=$tag
  done
  [ -z "$others" ] || engine image rm "$1" > /dev/null 2>&1 || :
}

# Takes the names away that only the application has which the module's cleanup deletes
drop_names() {
  current=$(names_in "$PERSISTENT_STORE/current")
  cleanup=$(names_in "$PERSISTENT_STORE/cleanup")
  for name in $cleanup; do
    case "$current" in *" $name "*) ;; *) drop_name "$name" "$cleanup$current" ;; esac
  done
}

# Deletes the image with the name $1 and the ID $2 or $3. Docker refuses if a container uses it. True if it is gone.
delete_image() {
  if module_deletes "$2" "$3"; then return 0; fi
  if is_here "$1" "$2" "$3"; then
    engine image rm "$1" > /dev/null 2>&1
    return
  fi
  # It has lost its name to an old image. If it has another name, it is in somebody else's use.
  for digest in "$2" "$3"; do
    names=$(engine image inspect --format '{{.RepoTags}}' "sha256:$digest" 2> /dev/null) || continue
    if [ "$names" = '[]' ]; then engine image rm "sha256:$digest" > /dev/null 2>&1; fi
    return
  done
  is_missing "sha256:$2" && is_missing "sha256:$3"
}

# Deletes what unfinished updates have loaded: all of it, or with "keep" and "commit" what is not in $state/new. A name that
# belongs to a kept image stays until that has it back. An image whose load was killed may come later: Docker ends that alone.
unload() {
  [ -f "$state/loaded" ] || return 0
  : > "$state/left"
  while read -r name config manifest; do
    line="$name $config $manifest"
    if [ "$1" != all ] && grep -qsxF "$line" "$state/new"; then
      [ "$1" = commit ] || echo "$line" >> "$state/left"
    elif is_kept "$name" || may_come "$1" "$line" || ! delete_image "$name" "$config" "$manifest"; then
      echo "$line" >> "$state/left"
    fi
  done < "$state/loaded"
  mv "$state/left" "$state/loaded"
}

# May Docker be loading the image of the line $2 still? A commit waits for none.
may_come() {
  [ "$1" != commit ] && grep -qsxF "$2" "$state/loading" && is_missing "sha256:$config" && is_missing "sha256:$manifest"
}

# Does the name $1 belong to an old image that is kept under a name of ours?
is_kept() {
  [ -f "$state/kept" ] && cut -d ' ' -f 2 "$state/kept" | grep -qxF -e "$1"
}

# The name of ours under which the old image $1 is kept; false if it has its own name still
kept_name() {
  [ -f "$state/kept" ] || return 1
  kept=
  while read -r ours theirs; do
    [ "$theirs" != "$1" ] || kept=$ours
  done < "$state/kept"
  [ -n "$kept" ] || return 1
  if engine image inspect "$kept" > /dev/null 2>&1; then echo "$kept"; return; fi
  is_missing "$kept" || stop "the Docker daemon does not answer: $answer"
  return 1
}

# The new image takes the name $1 from an old one, which have_image has found. So the old one gets a name of ours until the
# commit. If an earlier run gave it that, the name $1 is on a newer image already.
keep_name() {
  if [ -z "$found" ] || [ ! -d "$PERSISTENT_STORE/previous" ]; then return 0; fi
  old_id=$found
  if kept_name "$1" > /dev/null; then return 0; fi
  kept=mender-docker-delta/previous-$(short "$old_id"):kept
  echo "$kept $1" >> "$state/kept"
  engine image tag "$1" "$kept" 2> "$work/answer" \
    || stop "the old image $1 can't be kept: $(tail -n 1 "$work/answer")"
}

# Forgets names that an update before this one has kept. The old application uses the image that has the name now, and none
# that had it before.
forget_stale() {
  [ -f "$state/kept" ] || return 0
  : > "$state/left"
  while read -r kept name; do
    digits=${kept#*/previous-}
    if ! uses "$(old)" "${digits%:kept}" && id=$(engine image inspect --format '{{.Id}}' "$name" 2> /dev/null) \
      && uses "$(old)" "$id"; then
      echo "$kept" >> "$state/unwanted"
    else
      echo "$kept $name" >> "$state/left"
    fi
  done < "$state/kept"
  mv "$state/left" "$state/kept"
}

# Gives the old images their names back, before the module starts the old application again. What Docker does not do, a
# later run does. Two names may share a kept image, so it loses our name after both have come back.
restore_names() {
  [ -f "$state/kept" ] || return 0
  forget_stale
  : > "$state/left"
  while read -r kept name; do
    engine image tag "$kept" "$name" > /dev/null 2>&1 || is_missing "$kept" || echo "$kept $name" >> "$state/left"
  done < "$state/kept"
  while read -r kept _; do
    grep -qF -e "$kept " "$state/left" || engine image rm "$kept" > /dev/null 2>&1 || echo "$kept" >> "$state/unwanted"
  done < "$state/kept"
  mv "$state/left" "$state/kept"
  remove_unwanted
}

# Removes the names of ours that no image needs any more, and notes those that Docker did not remove
remove_unwanted() {
  [ -f "$state/unwanted" ] || return 0
  : > "$state/left"
  sort -u "$state/unwanted" | while read -r kept; do
    if is_needed "$kept" || is_missing "$kept"; then continue; fi
    remove_kept "$kept" || echo "$kept" >> "$state/left"
  done
  mv "$state/left" "$state/unwanted"
}

is_needed() { grep -qsF -e "$1 " "$state/kept"; }

# The module's own cleanup deletes an image by its ID, which it can't if this is not the only name
remove_kept() {
  id=$(engine image inspect --format '{{.Id}} {{len .RepoTags}}' "$1" 2> /dev/null) || return 1
  if [ "${id#* }" -eq 1 ] && module_deletes "${id% *}"; then return 0; fi
  engine image rm "$1" > /dev/null 2>&1
}

# Loads the tar of the image $1 from stdin. $2 config, $3 manifest
load_image() {
  # shellcheck disable=SC2086
  $DOCKER_CMD image load > "$work/loaded" 2>&1 || load_failed=yes
  rm -f "$state/loading"
  [ -z "${load_failed:-}" ] || stop "Docker can't load $1: $(tail -n 1 "$work/loaded")"
  [ ! -f "$why" ] || exit 1
  have_image "$1" "$2" "$3" || stop "Docker has loaded another image than $1"
}

# Notes the image $1 before it is loaded, so that it can be deleted whatever happens
note_image() {
  keep_name "$1"
  grep -qsxF "$1 $2 $3" "$state/loaded" || echo "$1 $2 $3" >> "$state/loaded"
  echo "$1 $2 $3" > "$state/loading"
  sync "$state"/* 2> /dev/null || sync
}

# --- Base layers ---

# Finds where Docker keeps layers. The root of containerd can be anywhere: the mounts of containers tell it.
find_store() {
  blobs=
  store=$(engine info --format '{{.DockerRootDir}}|{{.Driver}}|{{.DriverStatus}}' 2> /dev/null) || store=
  docker_root=${store%%|*}
  [ -n "$docker_root" ] || stop "the Docker daemon does not answer"
  chains=$docker_root/image/$(echo "$store" | cut -d '|' -f 2)/layerdb/sha256
  case $store in *io.containerd.snapshotter*) chains= ;; esac
  [ -z "$chains" ] || return 0
  ids=$(engine image ls --no-trunc --quiet 2> /dev/null) || stop "the Docker daemon does not answer"
  for root in $(sed -n 's,.*[=:]\(/[^:,= ]*\)/io\.containerd\.snapshotter\..*,\1,p' /proc/mounts | sort -u) \
    $(sed -n 's/^ *root *= *"\(.*\)".*/\1/p' /etc/containerd/config.toml 2> /dev/null) \
    /var/lib/containerd "$docker_root/containerd/daemon"; do
    blobs=$root/io.containerd.content.v1.content/blobs/sha256
    for id in $ids; do
      [ ! -f "$blobs/${id#sha256:}" ] || return 0
    done
  done
  blobs=
}

# Can a new image use the layer $1 as Docker has it? $2 is the digest of its chain: the layer and all below it
is_held() {
  if [ -n "$chains" ]; then [ -d "$chains/$2" ]; else [ -n "$blobs" ] && [ -f "$blobs/$1" ]; fi
}

# Moves the file $1 to the base layers if it is a wanted one, as it is or as gzip
offer() {
  file=$1
  if gzip -dc < "$file" > "$work/layer" 2> /dev/null; then file=$work/layer; fi
  sum=$(sha256sum < "$file" | cut -d ' ' -f 1)
  if grep -qx "$sum" "$work/wanted"; then mv "$file" "$work/sources/$sum"; fi
  rm -f "$1" "$work/layer"
}

# The wanted base layers that are not there yet, each once: several layers may need the same one
missing() {
  sort -u "$work/wanted" | while read -r layer; do
    [ -e "$work/sources/$layer" ] || echo "$layer"
  done
}

digests_in() { grep -so '"digest": *"sha256:[0-9a-f]*"' "$blobs/$1" | sed 's/.*sha256://; s/"//'; }

# Takes them from where containerd has them: whole, or compressed if the image $1 was pulled
find_blobs() {
  for hex in $(missing); do
    if [ -f "$blobs/$hex" ]; then ln -s "$blobs/$hex" "$work/sources/$hex"; fi
  done
  if [ -z "$(missing)" ]; then return 0; fi
  id=$(engine image inspect --format '{{.Id}}' "$1" 2> /dev/null) || return 0
  for manifest in "${id#sha256:}" $(digests_in "${id#sha256:}"); do
    for hex in $(digests_in "$manifest"); do
      if [ -z "$(missing)" ]; then return 0; fi
      case $(head -c 1 "$blobs/$hex" 2> /dev/null) in
        '' | '{') ;;
        *) ln -s "$blobs/$hex" "$work/blob" && offer "$work/blob" ;;
      esac
    done
  done
}

# Takes them out of a saved image $1
find_saved() {
  mkdir "$work/saved"
  names=$(missing | sed 's,^,blobs/sha256/,')
  # A tar that breaks off leaves a part of a layer.
  # shellcheck disable=SC2086
  if ! { engine image save "$1" | tar -xf - -C "$work/saved" $names; } > /dev/null 2>&1; then rm -rf "$work"/saved/*; fi
  for hex in $(missing); do
    if [ -f "$work/saved/blobs/sha256/$hex" ]; then mv "$work/saved/blobs/sha256/$hex" "$work/sources/$hex"; fi
  done
  if [ -n "$(missing)" ]; then
    { engine image save "$1" | tar -xf - -C "$work/saved"; } 2> "$work/answer" \
      || stop "the old image $1 can't be saved: $(tr '\n' ' ' < "$work/answer")"
    for file in "$work"/saved/blobs/sha256/* "$work"/saved/*/layer.tar; do
      if [ -f "$file" ] && [ -n "$(missing)" ]; then offer "$file"; fi
    done
  fi
  rm -rf "$work/saved"
}

# Refuses before the disk is full. Docker needs room for $1 bytes of new layers twice: as they come, and unpacked.
check_space() {
  free=$(df -Pk "${blobs:-$docker_root}" 2> /dev/null | { read -r _ && read -r _ _ _ free _ && echo "$free"; }) || return 0
  if [ "$free" -lt $((2 * $1 / 1024)) ]; then
    stop "too little space at ${blobs:-$docker_root}: $((2 * $1 / 1024)) KiB needed, $free free"
  fi
}

# Leaves the base layers in "sources" that the image number $1 needs of the old image $2
find_sources() {
  rm -rf "$work/sources"
  mkdir "$work/sources"
  : > "$work/wanted"
  new_bytes=0
  while read -r word number kind layer size from _ chain _; do
    if [ "$word $number" != "layer $1" ] || is_held "$layer" "$chain"; then continue; fi
    new_bytes=$((new_bytes + size))
    case $kind in
      omit) echo "$layer" >> "$work/wanted" ;;
      delta | patch) echo "$from" >> "$work/wanted" ;;
    esac
  done < "$plan"
  check_space "$new_bytes"
  if [ -n "$blobs" ] && [ -n "$(missing)" ]; then find_blobs "$2"; fi
  if [ -n "$(missing)" ]; then find_saved "$2"; fi
  for hex in $(missing); do
    stop "the old image $2 has no layer $hex: it is not the one that this artifact was made for"
  done
}

# --- Images that the plan describes: small files, whole layers, deltas and patches ---

# Is the program $1 for this machine? Byte 18 of an ELF file tells. A shell would run that of another one as a script.
is_for_machine() {
  letter=$(dd if="$1" bs=1 skip=18 count=1 2> /dev/null | LC_ALL=C tr '\076\267\050\363' xamr)
  case $(uname -m)$letter in
    x86_64x | aarch64[am] | arm*m | riscv64r) ;;
    *) echo "it is for another machine" >&2; return 1 ;;
  esac
}

# Makes the file $1 the decoder of patches, if it runs here and proves itself
try_decoder() {
  decoder=$1
  { is_for_machine "$decoder" && chmod 700 "$decoder" && "$decoder" test < /dev/null; } 2> "$work/answer"
}

# Sets "decoder" to the program of the payload that reads patches. Some devices run no programs from the folder that the
# client unpacks artifacts to.
find_decoder() {
  [ -f "$work/images/decoder" ] || stop "the payload has patches, and no decoder for them"
  need uname
  if try_decoder "$work/images/decoder"; then return 0; fi
  if cp "$work/images/decoder" "$state/decoder" && try_decoder "$state/decoder"; then return 0; fi
  stop "the carried decoder does not run on this device, neither in $work nor in $state: $(tail -n 1 "$work/answer")"
}

# The decoder's source buffer of $1 bytes, or less where memory is short: half of what is free beside the 14 MB of xdelta3
# itself. Below half a MiB, xdelta3 takes none.
buffer_of() {
  free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  size_of_buffer=$1
  while [ "$size_of_buffer" -gt 524288 ] && [ "$size_of_buffer" -gt $(((${free:-65536} - 14000) * 512)) ]; do
    size_of_buffer=$((size_of_buffer / 2))
  done
  echo "$size_of_buffer"
}

# The decoder $1 ended with the status $2. If it is only that Docker takes no more bytes, Docker has the reason.
decoder_failed() {
  if [ "$2" -eq 141 ] || grep -qs "roken pipe\|result can't be written" "$work/answer"; then exit 1; fi
  reason=$(tail -n 1 "$work/answer")
  stop "$1 can't decode layer $layer: ${reason:-it ended with status $2}"
}

# Writes one layer of the image as the tar has it, unless Docker has it already. Reads its part of the payload.
emit_layer() {
  if [ "$kind" != omit ]; then take 1 > /dev/null; fi
  if is_held "$layer" "$chain"; then
    take "$(blocks "$bytes")" > /dev/null
    return
  fi
  block "$work/headers" "$index"
  case $kind in
    omit) cat "$work/sources/$layer" ;;
    full) take "$(blocks "$bytes")" ;;
    delta)
      take "$(blocks "$bytes")" | head -c "$bytes" \
        | xdelta3 -d -c -B "$(buffer_of "$buffer")" -s "$work/sources/$from" 2> "$work/answer" \
        || decoder_failed xdelta3 $? ;;
    patch)
      take "$(blocks "$bytes")" | head -c "$bytes" \
        | "$decoder" decode "$work/sources/$from" 2> "$work/answer" \
        || decoder_failed "the carried decoder" $? ;;
    *) stop "unknown kind of layer in the plan: $kind" ;;
  esac
  if [ "$kind" != full ]; then pad "$size"; fi
}

# Writes the tar of the image number $1, whose small files have $2 bytes
emit_image() {
  dd if="$work/small.tar" bs=512 count=$(($2 / 512 - 2)) 2> /dev/null
  index=0
  while read -r word number kind layer size from bytes chain buffer <&4; do
    [ "$word $number" = "layer $1" ] || continue
    emit_layer
    index=$((index + 1))
  done 4< "$plan"
  dd if=/dev/zero bs=512 count=2 2> /dev/null
}

skip_layers() {
  while read -r word number kind _ _ _ bytes _ <&4; do
    if [ "$word $number" = "layer $1" ] && [ "$kind" != omit ]; then take $((1 + $(blocks "$bytes"))) > /dev/null; fi
  done 4< "$plan"
}

# $1 number, $2 old name or "-", $3 new name, $4 config, $5 manifest, $6 bytes of its small files, $7 layers
planned_image() {
  take 1 > /dev/null
  take "$(blocks "$6")" > "$work/small.tar"
  take 1 > /dev/null
  take "$7" > "$work/headers"
  if have_image "$3" "$4" "$5"; then
    skip_layers "$1"
    say "$3 is on this device already"
  else
    base=$(kept_name "$2" || echo "$2")
    find_sources "$1" "$base"
    note_image "$3" "$4" "$5"
    emit_image "$1" "$6" | load_image "$3" "$4" "$5"
    say "$3 is loaded"
  fi
  rm -rf "$work/sources"
  mv "$work/small.tar" "$work/ready/images/$1.tar"
}

# Refuses a plan with a line of another form before anything of it is used. A field could name a file outside, or be code
# to a shell that calculates with it.
check_plan() {
  number='(0|[1-9][0-9]{0,14})'
  hex='[0-9a-f]{64}'
  name='[[A-Za-z0-9][][A-Za-z0-9._:/@-]*'
  image="image $number (-|$name) $name $hex $hex $number $number"
  layer="layer $number (omit $hex $number - 0|full $hex $number - $number|(delta|patch) $hex $number $hex $number) $hex $number"
  odd=$(grep -Evxn "mender-docker-delta 2|$image|$layer|end" "$plan" | head -n 1)
  [ -z "$odd" ] || stop "the plan in the payload has an odd line: $odd"
}

load_planned() {
  [ "$(head -n 1 "$plan")" = "mender-docker-delta 2" ] || stop "the payload is of another version"
  [ "$(tail -n 1 "$plan")" = end ] || stop "the plan in the payload is cut off"
  check_plan
  if grep -q '^layer [0-9]* delta ' "$plan"; then need xdelta3; fi
  parts=$((1 + $(blocks "$(wc -c < "$plan")")))
  if grep -q '^layer [0-9]* patch ' "$plan"; then
    need chmod cp
    find_decoder
    parts=$((parts + 1 + $(blocks "$(wc -c < "$work/images/decoder")")))
  fi
  grep '^image ' "$plan" | cut -d ' ' -f 4-6 > "$state/new"
  unload keep
  gzip -dc < "$payload" 2> /dev/null | {
    take "$parts" > /dev/null
    while read -r word number old new config manifest bytes count <&3; do
      if [ "$word" = image ]; then planned_image "$number" "$old" "$new" "$config" "$manifest" "$bytes" "$count"; fi
    done 3< "$plan"
  }
}

# --- Images as whole tars ---

# Sets "name" and "size" of the next file in the payload; false at its end
next_file() {
  take 1 > "$work/header"
  [ "$(wc -c < "$work/header")" -eq 512 ] || stop "the payload is cut off"
  name=$(head -c 100 "$work/header" | tr -d '\000')
  [ -n "$name" ] || return 1
  if [ "$name" = images/ ]; then
    next_file
    return
  fi
  size=$(head -c 135 "$work/header" | tail -c 11)
  case $name$size in
    images/*/* | images/*[!0-9a-zA-Z._/-]* | *.tar*[!0-7]*) stop "the payload has an odd file: $name" ;;
    images/*.tar*) size=$((0$size)) ;;
    *) stop "the payload has an odd file: $name" ;;
  esac
}

# The text behind $2 in the JSON file $1, up to the next quote
text_in() { sed -n "s,.*\"$2\([^\"]*\)\".*,\1,p" "$work/small/$1"; }

# Loads the next image of the payload, with its tar in the file named $1 of $2 bytes
whole_image() {
  all=$(blocks "$2")
  some=$((all < 2048 ? all : 2048))
  take "$some" > "$work/head"
  rm -rf "$work/small"
  mkdir "$work/small"
  tar -xf "$work/head" -C "$work/small" index.json manifest.json oci-layout 2> /dev/null || :
  new=$(text_in manifest.json 'RepoTags":\["')
  config=$(text_in manifest.json 'Config":"blobs/sha256/')
  manifest=$(text_in index.json 'digest":"sha256:')
  case $new in '' | -* | *[!][A-Za-z0-9._:/@-]*) stop "the payload has an odd image: $1" ;; esac
  case $config$manifest in *[!0-9a-f]*) stop "the payload has an odd image: $1" ;; esac
  tar -xf "$work/head" -C "$work/small" "blobs/sha256/$config" "blobs/sha256/$manifest" 2> /dev/null || :
  if [ ! -f "$work/small/blobs/sha256/$config" ] || [ ! -f "$work/small/blobs/sha256/$manifest" ]; then
    stop "the payload has an odd image: $1"
  fi
  echo "$new $config $manifest" >> "$state/new"
  if have_image "$new" "$config" "$manifest"; then
    take $((all - some)) > /dev/null
    say "$new is on this device already"
  else
    note_image "$new" "$config" "$manifest"
    { cat "$work/head"; take $((all - some)); } | load_image "$new" "$config" "$manifest"
    say "$new is loaded"
  fi
  tar -cf "$work/ready/$1" -C "$work/small" blobs index.json manifest.json oci-layout
}

load_whole() {
  : > "$state/new"
  gzip -dc < "$payload" 2> /dev/null | while next_file; do whole_image "$name" "$size"; done
  unload keep
}

# --- The steps of an update ---

# Makes one tar of several images, so that the module calls Docker once for all of them. The application is down meanwhile.
combine() {
  set -- "$work/ready/images"/*
  [ $# -gt 1 ] || return 0
  mkdir "$work/all"
  for image; do
    tar -xf "$image" -C "$work/all"
    sed 's/^\[//; s/\]$//' "$work/all/manifest.json" >> "$work/manifest.json"
    sed 's/.*"manifests":\[//; s/\]}$//' "$work/all/index.json" >> "$work/index.json"
    # The writer of the files ends none of them with a line end.
    for list in manifest index; do echo >> "$work/$list.json"; done
    rm "$image"
  done
  { echo '['; list_in "$work/manifest.json"; echo ']'; } > "$work/all/manifest.json"
  { echo '{"schemaVersion":2,"manifests":['; list_in "$work/index.json"; echo ']}'; } > "$work/all/index.json"
  tar -cf "$work/ready/images/0.tar" -C "$work/all" blobs index.json manifest.json oci-layout
}

# The lines of $1 as the entries of a JSON list
list_in() { sed '/^$/d' "$1" | sed '$!s/$/,/'; }

# Leaves the module images without layers, as Docker has these
pack() {
  combine
  { tar -cf - -C "$work/ready" images || : > "$work/failed"; } | gzip -1 > "$work/ready.tar.gz"
  [ ! -f "$work/failed" ] || stop "the small files of the images can't be packed"
  mv "$work/ready.tar.gz" "$payload"
}

# Is every new image here still? Somebody may have deleted one, as no container uses it yet. All are asked for at once, as
# each call of Docker takes a good part of a second on a small device.
all_here() {
  # shellcheck disable=SC2046
  engine image inspect --format '{{.Id}}' $(cut -d ' ' -f 1 "$state/new") > "$work/ids" 2> /dev/null || return 1
  while read -r _ config manifest && read -r id <&3; do
    [ "$id" = "sha256:$config" ] || [ "$id" = "sha256:$manifest" ] || return 1
  done < "$state/new" 3< "$work/ids"
}

load_images() {
  case $kind_of_payload in
    planned)
      gzip -dc < "$payload" 2> /dev/null | dd bs=512 count=8192 2> /dev/null | tar -xf - -C "$work" images/plan images/decoder 2> /dev/null || :
      [ -f "$plan" ] || stop "the payload can't be read"
      load_planned ;;
    whole) load_whole ;;
    *) stop "the payload can't be read" ;;
  esac
}

# Loads all images. Sets nothing: it runs in a shell of its own
load_payload() {
  need dd head tail tr sed grep cut wc sort
  find_store
  forget_stale
  rm -rf "$work"
  mkdir -p "$work/ready/images"
  load_images
  all_here || load_images
  pack
}

# Is Docker there again, after it went away?
came_back() {
  if docker_answers && ! lost_docker "$why"; then return 1; fi
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if docker_answers; then return 0; fi
    sleep 3
  done
  return 1
}

refuse() {
  reason=$(cat "$why" 2> /dev/null || echo "an unexpected failure, perhaps a full disk")
  echo "mender-docker-delta: $reason" > "$payload"
  say "the payload is refused, so that the old application keeps running"
  restore_names
  unload all
}

install() {
  first_step
  kind_of_payload=$(gzip -dc < "$payload" 2> /dev/null | head -c 11)
  case $kind_of_payload in
    images/plan) kind_of_payload=planned ;;
    images/*) kind_of_payload=whole ;;
    *) kind_of_payload=unknown ;;
  esac
  rm -f "$why"
  (set -eu; load_payload)
  status=$?
  if [ "$status" -ne 0 ] && came_back; then
    rm -f "$why"
    (set -eu; load_payload)
    status=$?
  fi
  if [ "$status" -ne 0 ] && [ "$kind_of_payload" = whole ]; then
    say "the update module loads the images itself"
  elif [ "$status" -ne 0 ]; then
    refuse
  fi
  rm -rf "$work" "$why" "$state/decoder"
}

# The names of the old images are nobody's now. A later rollback must not give them back.
commit() {
  if [ -f "$state/kept" ]; then
    cut -d ' ' -f 1 "$state/kept" >> "$state/unwanted"
    rm -f "$state/kept"
  fi
  remove_unwanted
  drop_names
  unload commit
  rm -f "$state/new" "$state/loading"
}

# A module that finds "current" alone rolls back as if after a commit: it stops and deletes the application. No installation
# leaves it alone, except for a first one that is committed, and that has loaded images. Without those, the client was
# killed before the first step or in the middle of this rollback.
spare_current() {
  [ -d "$PERSISTENT_STORE/current" ] && [ ! -s "$state/new" ] || return 0
  for other in previous uncommitted new cleanup; do
    [ ! -e "$PERSISTENT_STORE/$other" ] || return 0
  done
  mv "$PERSISTENT_STORE/current" "$PERSISTENT_STORE/previous"
}

# Modules of 2025 fail to roll back if there is no "new", and the client then calls the device inconsistent. So they get an
# empty one to undo. Its project has no containers. Later modules don't look at it.
offer_nothing() {
  if [ -d "$PERSISTENT_STORE/new" ] || [ -d "$PERSISTENT_STORE/current" ]; then return 0; fi
  mkdir -p "$PERSISTENT_STORE/new/manifests"
  echo 'services: {}' > "$PERSISTENT_STORE/new/manifests/docker-compose.yaml"
  : > "$PERSISTENT_STORE/new/image_ids"
  echo "$nothing" > "$PERSISTENT_STORE/new/project_name"
}

# The module moves it to "cleanup".
remove_nothing() {
  for folder in "$PERSISTENT_STORE/new" "$PERSISTENT_STORE/cleanup"; do
    if [ "$(cat "$folder/project_name" 2> /dev/null)" = "$nothing" ]; then rm -rf "$folder"; fi
  done
}

# Before the module rolls back, perhaps for the second time
prepare_rollback() {
  remove_nothing
  spare_current
  offer_nothing
  restore_names
  rm -f "$state/new"
}

# After it
finish_rollback() {
  remove_nothing
  undo_first_step
  restore_names
  drop_names
  unload all
}

# A module that did not get as far as its own moves leaves them undone
undo_first_step() {
  if [ -d "$PERSISTENT_STORE/current" ] || [ -d "$PERSISTENT_STORE/new" ] || [ ! -d "$PERSISTENT_STORE/previous" ]; then
    return 0
  fi
  mv "$PERSISTENT_STORE/previous" "$PERSISTENT_STORE/current"
}

# Forgets the update, unless Docker refused a part of it or did not answer
end() { [ -s "$state/loaded" ] || [ -s "$state/kept" ] || [ -s "$state/unwanted" ] || rm -rf "$state"; }

case $0 in
  *ArtifactInstall*) install ;;
  *ArtifactRollback_Enter*) prepare_rollback ;;
  *ArtifactCommit*) commit; end ;;
  *) finish_rollback; end ;;
esac
exit 0
