#!/bin/sh
# Installs artifact.mender in FOLDER with the device's own Mender client, commits it or rolls it
# back, and says what the Compose project PROJECT runs. FOLDER is removed at the end. POSIX sh.
#
# sh -s -- FOLDER PROJECT
set -u
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
folder=$1
project=$2
trap 'exec > /dev/null 2>&1; wait; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# If the connection breaks, the client must still finish. It would die in the middle if nobody read its log.
trap '' HUP PIPE
if mkfifo "$folder/log"; then
  { cat; cat > /dev/null; } < "$folder/log" &
  exec > "$folder/log" 2>&1
fi

client=
for name in mender-update mender; do
  if command -v "$name" > /dev/null 2>&1; then client=$name; break; fi
done
if [ -z "$client" ]; then echo "the device has neither mender-update nor mender" >&2; exit 1; fi

"$client" install "$folder/artifact.mender" < /dev/null
code=$?
if [ "$code" = 0 ]; then
  "$client" commit < /dev/null
  code=$?
  # 2: a module without rollback is committed by the installation.
  if [ "$code" = 2 ]; then code=0; fi
  if [ "$code" != 0 ]; then "$client" rollback < /dev/null; fi
fi
docker ps --all --filter "label=com.docker.compose.project=$project" \
  --format 'runs: {{.Label "com.docker.compose.service"}} {{.Image}} {{.Status}}' < /dev/null
exit "$code"
