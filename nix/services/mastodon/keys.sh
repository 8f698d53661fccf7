#!/bin/sh
# keys.sh FROM TO: makes the six key files that Mastodon wants of the three secrets that travel with a deployment. They follow from
# the secrets alone, so they are the same wherever the deployment goes.
set -eu
from=$1
to=$2
umask 0027
mkdir -p "$to"

# SHA-256, in hex, of a secret and what it is for. Nothing of it stands in arguments, which everybody can read.
derived() {
	{ cat "$from/$1"; printf ':%s' "$2"; } | openssl dgst -sha256 -hex | sed 's/^.* //'
}
base64url() {
	base64 -w 0 | tr '+/' '-_' | tr -d '='
}
bytes() {
	hex=$(tr -d '\n')
	while [ -n "$hex" ]; do
		rest=${hex#??}
		printf "\\$(printf %03o "0x${hex%"$rest"}")"
		hex=$rest
	done
}

cat "$from/secret-key-base" >"$to/secret-key-base"
for purpose in deterministic-key key-derivation-salt primary-key; do
	derived active-record "$purpose" | cut -c 1-32 >"$to/active-record-encryption-$purpose"
done

# A key pair on P-256 for web push: the private number, and from it by openssl the public point.
number=$(derived vapid private)
printf '%s' "$number" | bytes | base64url >"$to/vapid-private-key"
printf '30310201010420%sa00a06082a8648ce3d030107' "$number" | bytes |
	openssl ec -inform DER -pubout -outform DER 2>/dev/null | tail -c 65 | base64url >"$to/vapid-public-key"
