#!/usr/bin/env bash
# Sees to the Debian packages the tests use. CI installs what is missing; anyone else is asked, or told.
# aws, boto3, moto and Terraform are not among them: Debian 12 has them too old to read AWS_ENDPOINT_URL, or not at all.
set -euo pipefail

packages=(ceph-common ceph-mon ceph-osd curl git nginx openssl postgresql-15 prometheus radosgw)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "Some tests use: ${missing[*]}. Without apt they are not installed here; those tests are skipped and say so." >&2
  exit 0
fi

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
if [ "${CI:-}" != true ]; then
  if [ ! -t 0 ]; then
    echo "Some tests use: ${missing[*]}. To run them too: apt-get install ${missing[*]}" >&2
    exit 0
  fi
  read -r -p "Some tests use: ${missing[*]}. Install them with apt-get? [y/N] " answer
  [ "$answer" = y ] || exit 0
fi

# Services must not start by being installed: the tests start their own, on their own ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
  "${sudo[@]}" chmod 755 "$policy"
  trap '"${sudo[@]}" rm -f "$policy"' EXIT
fi
"${sudo[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
