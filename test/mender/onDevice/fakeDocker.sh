#!/bin/sh
# A Docker of files, for the state script. Its folder DOCKER_STORE has "images" (lines of a name and an ID), <ID>.tar to
# save, the folders of an image store, and files that switch a behaviour on. The tests start it more than a thousand
# times, so it uses what the shell itself can do.
set -eu
PATH=$DOCKER_TOOLS # the device may lack the tools
cd "$DOCKER_STORE"
blobs=containerd/io.containerd.content.v1.content/blobs/sha256
chains=root/image/overlay2/layerdb/sha256
for last; do :; done

fail() {
  echo "$*" >&2
  exit 1
}

# Sets "sum" to the SHA-256 of the file $1
sum_file() {
  sum=$(sha256sum < "$1")
  sum=${sum%% *}
}

# Sets "text" to what is in the JSON file $1 between $2 and $3
find_text() {
  read -r text < "$1" || [ -n "$text" ]
  text=${text#*"$2"}
  text=${text%%"$3"*}
}

# Sets "words" to the strings of the list behind $2 in the JSON file $1
find_words() {
  find_text "$1" "\"$2\":[" ']'
  words=
  IFS='",'
  for word in $text; do words="$words${word:+ $word}"; done
  unset IFS
}

# Sets "id" to that of the image with the name or the ID $1, which may be the first 12 digits of it
find_image() {
  if [ -e images ]; then
    while read -r name id; do
      short=${id#sha256:}
      short=${short%"${short#????????????}"}
      if [ "$1" = "$name" ] || [ "$1" = "$id" ] || [ "$1" = "$short" ]; then return; fi
    done < images
  fi
  fail "No such image: $1"
}

# Writes the list of images without the name $1, and with the line $2 if it is there
list_without() {
  list=
  if [ -e images ]; then
    while read -r name id; do
      [ "$name" = "$1" ] || list="$list$name $id
"
    done < images
  fi
  printf '%s' "$list${2:+$2
}" > images
}

# Keeps the image with the name $1 without a name, if it has no other. The name becomes that of another image.
release_name() {
  [ -e images ] || return 0
  released=
  names=0
  while read -r name id; do
    [ "$name" != "$1" ] || released=$id
  done < images
  while read -r name id; do
    [ "$id" != "$released" ] || names=$((names + 1))
  done < images
  list_without "$1"
  [ "$names" -ne 1 ] || echo "<none> $released" >> images
}

# Sets "names" to those of the image with the ID $1
find_names() {
  names=
  while read -r name other; do
    if [ "$other" = "$1" ] && [ "$name" != '<none>' ]; then names="$names${names:+ }$name"; fi
  done < images
}

# Takes the name $1 away, or deletes the image with the ID $1. With --force in $2 it may have several names.
remove() {
  find_image "$1"
  [ "$1" != "$name" ] || wanted=$name
  find_names "$id"
  case "${wanted:-}$2 $names" in
    ' '*' '*) fail 'image is referenced in multiple repositories' ;;
  esac
  case "$names" in
    "${wanted:-none} "* | *" ${wanted:-none}"*) ;;
    *) ! grep -qs "$id" used running || fail 'container is using it' ;;
  esac
  for name in ${wanted:-${names:-<none>}}; do list_without "$name"; done
}

# Fails unless the layer $1 has the digest $2, or Docker has it. $3 is the digest of its chain.
check_layer() {
  if [ -e "loading/$1" ]; then
    sum_file "loading/$1"
    [ "$sum" = "$2" ] || fail "invalid diffID for layer $2"
    new="$new loading/$1"
  elif [ -e containerd-store ]; then
    [ -e "$blobs/$2" ] || fail "no such file: $1"
  else
    [ -e "$chains/$3" ] || fail "no such file: $1"
  fi
}

# $1 the diffIDs, $2 the paths of the layers
load_layers() {
  paths=$2
  # shellcheck disable=SC2086
  set -- $1
  chain=
  held=
  new=
  for path in $paths; do
    diff=${1#sha256:}
    printf %s "sha256:$chain $1" > chain
    sum=$diff
    [ -z "$chain" ] || sum_file chain
    chain=$sum
    check_layer "$path" "$diff" "$chain"
    held="$held $chains/$chain"
    shift
  done
  # shellcheck disable=SC2086
  if [ ! -e containerd-store ]; then
    mkdir -p $held
  elif [ -n "$new" ]; then
    cp $new "$blobs"
  fi
}

load() {
  if [ -e hang ]; then
    : > reached
    exec sleep 60
  fi
  rm -rf loading
  mkdir loading
  files=$(tar -xvf "$1" -C loading 2> /dev/null) || fail 'unexpected EOF'
  [ ! -e full ] || fail 'write /var/lib/docker: no space left on device'
  [ -e loading/manifest.json ] || fail 'no manifest.json'
  read -r line < loading/manifest.json || [ -n "$line" ]
  [ "$line" != '[' ] || return 0 # several images without layers, which the script has loaded
  find_words loading/manifest.json RepoTags
  tag=${words# }
  find_words loading/manifest.json Layers
  layers=$words
  find_text loading/manifest.json '"Config":"' '"'
  config=loading/$text
  find_words "$config" diff_ids
  load_layers "$words" "$layers"
  find_text loading/index.json '"digest":"sha256:' '"'
  id=$text
  if [ ! -e containerd-store ]; then
    sum_file "$config"
    id=$sum
  fi
  list_without "$tag" "$tag sha256:$id"
  # shellcheck disable=SC2086
  echo "$tag" $files >> loads
  echo "Loaded image: $tag"
}

[ ! -e down ] || fail 'Cannot connect to the Docker daemon'
case "$1 ${2:-}" in
  'version ') ;;
  'info --format')
    driver='overlay2|[]'
    [ ! -e containerd-store ] || driver='overlayfs|[[driver-type io.containerd.snapshotter.v1]]'
    echo "$PWD/root|$driver" ;;
  'image inspect')
    wanted=${4:-}
    shift 2
    [ "$1" != --format ] || shift 2
    for image; do
      find_image "$image"
      find_names "$id"
      case $wanted in
        '{{.RepoTags}}') echo "[$names]" ;;
        '{{range .RepoTags}}{{.}} {{end}}') echo "$names " ;;
        '{{.Id}} {{len .RepoTags}}')
          # shellcheck disable=SC2086
          set -- $names
          echo "$id $#" ;;
        *) echo "$id" ;;
      esac
    done ;;
  'image ls') [ ! -e images ] || cut -d ' ' -f 2 images | sort -u ;;
  'image save')
    find_image "$last"
    cat "${id#sha256:}.tar"
    echo "$last" >> saves ;;
  'image load')
    if [ "$last" = load ]; then last=-; fi
    load "$last" ;;
  'image tag' | 'tag '*)
    if [ "$1" = tag ]; then find_image "$2"; else find_image "$3"; fi
    tagged=$id
    grep -qsxF "$last $id" images || release_name "$last"
    list_without "$last" "$last $tagged" ;;
  'image rm') remove "$last" '' ;;
  # What only the update modules call
  'rmi --force') remove "$last" --force ;;
  'rmi '*) remove "$last" '' ;;
  'images --format') [ ! -e images ] || sed 's/sha256:\(.\{12\}\).*/\1/' images ;;
  'ps --quiet') cat running ;;
  'inspect -f') echo running:none ;;
  *) fail "unexpected: docker $*" ;;
esac
