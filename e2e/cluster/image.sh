#!/bin/bash
# Makes an image for load.sh out of static programs, with nothing but tar and sha256sum. The same
# files give the same bytes. Must not touch a cluster.
#
#   image.sh OUT.tar REF ENTRYPOINT DESTINATION=FILE...
#   image.sh app.tar sluice.test/app:1 /app app=target/release/app
#
# The image runs as IMAGE_USER (65532); REF should name a registry that does not exist.
set -euo pipefail
umask 022
(($# >= 4)) || { sed -n '2,/^set/{/^#/s/^# \?//p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
out=$1 ref=$2 entrypoint=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
digest() { sha256sum "$1" | cut -d' ' -f1; }
pack() { # FOLDER OUT: no times, no owners, no order of the file system
  (cd "$1" && tar --create --file "$2" --format=ustar --sort=name --mtime=@0 \
    --owner=0 --group=0 --numeric-owner -- *)
}

for entry in "$@"; do
  destination=${entry%%=*} file=${entry#*=}
  mode=0644
  [[ -x $file ]] && mode=0755
  install -D -m "$mode" "$file" "$work/layer/${destination#/}"
done
# A sticky /tmp: the only place where a non-root program may write.
mkdir -p "$work/image" "$work/layer/tmp"
chmod 1777 "$work/layer/tmp"

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
pack "$work/layer" "$work/layer.tar"
layer=$(digest "$work/layer.tar")
mv "$work/layer.tar" "$work/image/$layer.tar"
printf '{"architecture":"%s","os":"linux","config":{"User":"%s","WorkingDir":"/","Entrypoint":["%s"],"Env":["PATH=/"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$architecture" "${IMAGE_USER:-65532}" "$entrypoint" "$layer" >"$work/config"
config=$(digest "$work/config")
mv "$work/config" "$work/image/$config.json"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s.tar"]}]' "$config" "$ref" "$layer" >"$work/image/manifest.json"
pack "$work/image" "$work/image.tar"
mv "$work/image.tar" "$out"
