#!/bin/sh
# Gives the volumes to PUID:PGID and runs the command as that user; started as another user, it runs the command as it is.
set -eu

PUID="${PUID:-1000}"
PGID="${PGID:-1000}"
export HOME="${ENLARGER_DATA_DIR:-/data}"

if [ "$(id -u)" -ne 0 ]; then
    exec "$@"
fi
for folder in "${ENLARGER_STORAGE_DIR:-/storage}" "${ENLARGER_CACHE_DIR:-/cache}" "${ENLARGER_DATA_DIR:-/data}"; do
    mkdir -p "$folder"
    # only what somebody else owns: a library of many files is not walked through for nothing at every start
    if [ "$(stat -c %u:%g "$folder")" != "$PUID:$PGID" ]; then
        chown -R "$PUID:$PGID" "$folder"
    fi
done
if [ "$PUID" -eq 0 ]; then
    exec "$@"
fi
exec setpriv --reuid "$PUID" --regid "$PGID" --clear-groups "$@"
