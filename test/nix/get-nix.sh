#!/bin/sh
# get-nix.sh DIR: unpacks Debian's Nix in DIR, for tests that evaluate. Nothing outside DIR changes: no daemon, no users, no /nix.
# Needs apt-get, dpkg-deb and the machine's own Debian mirror; downloads about 22 MB and keeps about 60 MB.
set -eu
suite=${NIX_SUITE:-trixie}
[ -x "$1/bin/nix" ] && exit 0
for program in apt-get dpkg-deb; do command -v "$program" >/dev/null || { echo "there is no $program" >&2; exit 1; }; done

# Built beside and renamed when whole, so that what is cut off half way is never taken for finished.
new=$1.new
rm -rf "$new"
apt=$new/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$new/root" "$new/bin" "$new/etc"
apt=$(cd "$apt" && pwd)
: >"$apt/status"

mirror=$({
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p'
	sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null
} | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "apt has no Debian mirror here" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<END
Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::sourcelist "$apt/sources.list"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
APT::Install-Recommends "0"; APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::Check-Valid-Until "false";
END
export APT_CONFIG="$apt/apt.conf"
apt-get update -qq
# Nix itself and the libraries it is linked with; what else its package asks for, evaluation does not need.
packages=$(apt-get install -s nix-bin | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -E '^(lib|zlib1g|nix-bin)' | grep -vE -e '-perl$|^libperl')
(cd "$apt/cache" && apt-get download -qq $packages)
for package in "$apt"/cache/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$new/root" --exclude='./usr/share/*'
done
rm -rf "$apt"

cat >"$new/etc/nix.conf" <<'END'
experimental-features = nix-command flakes
substituters =
flake-registry =
build-users-group =
sandbox = false
warn-dirty = false
END
# Started through the loader that was unpacked with it, since it is newer than the machine's own.
cat >"$new/bin/nix" <<'END'
#!/bin/sh
here=$(dirname "$(dirname "$(readlink -f "$0")")")
libraries=$here/root/usr/lib/$(uname -m)-linux-gnu
export NIX_CONF_DIR="$here/etc" NIX_USER_CONF_FILES=/dev/null XDG_CACHE_HOME="$here/cache" XDG_STATE_HOME="$here/state"
exec "$libraries"/ld-linux-*.so.? --argv0 "${0##*/}" --library-path "$libraries" "$here/root/usr/bin/nix" "$@"
END
chmod +x "$new/bin/nix"
ln -s nix "$new/bin/nix-instantiate"
mv "$new" "$1"
