#!/usr/bin/env bash
# Makes keys, secrets, certificates and configurations of an issuer, an STS and a gateway that trust each other, in a new folder. Run
# it once; nothing in the folder belongs into a repository.
#   prepare.sh FOLDER
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: prepare.sh FOLDER}
mkdir "$folder"
cd "$folder"

secret() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'; }
hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# An authority for these three names alone. Whoever calls them reads ca.pem.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 \
  -subj '/CN=Jobpass' -addext 'nameConstraints=critical,permitted;DNS:example.internal' 2>/dev/null

for server in issuer sts gateway; do
  mkdir "$server" "$server/credentials"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$server/credentials/tls-key" \
    -out request.pem -subj "/CN=$server.example.internal" 2>/dev/null
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 398 -out "$server/$server.pem" \
    -extfile <(printf 'subjectAltName=DNS:%s.example.internal\nextendedKeyUsage=serverAuth\n' "$server") 2>/dev/null
  rm request.pem
  secret >"$server/credentials/encryption-key"
done

ci=$(secret) issuer=$(secret) sts=$(secret) database=$(secret)
printf %s "$ci" >ci-secret
printf %s "$issuer" >sts/credentials/issuer-secret
printf %s "$sts" >gateway/credentials/sts-secret
printf %s "$database" >database-password
# Inside the network of the Compose file nobody else is; elsewhere: sslmode=verify-full.
printf 'postgres://jobpass:%s@postgres.example.internal/jobpass?sslmode=disable' "$database" >sts/credentials/database

sed -e "s/@CI_SECRET_SHA256@/$(hash_of "$ci")/" -e "s/@ISSUER_SECRET_SHA256@/$(hash_of "$issuer")/" \
  "$here/issuer.yaml" >issuer/issuer.yaml
sed -e "s/@STS_SECRET_SHA256@/$(hash_of "$sts")/" "$here/sts.yaml" >sts/sts.yaml
cp "$here/gateway.yaml" gateway/gateway.yaml
mkdir -p sts/policies/main
cp "$here/publish.yaml" sts/policies/main/publish.yaml

# Configurations and certificates are no secrets: the servers read them as users of their own.
chmod 755 . issuer sts gateway sts/policies sts/policies/main
chmod 644 ca.pem ./*/*.pem ./*/*.yaml sts/policies/main/*
# In a container they read their secrets as this user; systemd hands them over by itself.
if [ "$(id -u)" -eq 0 ]; then
  chown -R 10001:10001 ./*/credentials
else
  echo "for containers: sudo chown -R 10001:10001 $folder/*/credentials"
fi

echo "made $folder. The gateway's public key is still missing: sts/gateway.pub (docs/deployment.md)"
