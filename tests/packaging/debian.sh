#!/bin/sh
# Builds the Debian package from the release tarball, and uses it in a fresh Debian 12 that
# systemd has booted: `make check-packaging`. It takes root, a mirror, and some minutes.
#
#   debian.sh TARBALL
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for tool in dpkg-buildpackage dh lintian mmdebstrap systemd-nspawn; do
	command -v $tool >/dev/null || {
		echo "skipped: $tool is not here (Debian: dpkg-dev debhelper lintian mmdebstrap systemd-container)"
		exit 77
	}
done
[ "$(id -u)" -eq 0 ] || {
	echo "skipped: only root can boot a system in a container"
	exit 77
}
scratch=$(mktemp -d /var/tmp/persona-gateway-package.XXXXXX)
trap 'rm -rf --one-file-system "$scratch"' EXIT

echo "== the package"
mkdir "$scratch/source"
tar -xzf "$1" -C "$scratch/source" --strip-components=1
(cd "$scratch/source" && dpkg-buildpackage -us -uc -b -jauto) >"$scratch/build.log" 2>&1 || {
	tail -n 40 "$scratch/build.log"
	exit 1
}
rm -rf "$scratch/source"
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$scratch"/*.changes
deb=$(ls "$scratch"/persona-gateway_*.deb)

# The same as a newer version, for an upgrade.
dpkg-deb -R "$deb" "$scratch/newer"
sed -i 's/^Version: .*/&+newer/' "$scratch/newer/DEBIAN/control"
dpkg-deb --root-owner-group -b "$scratch/newer" "$scratch/newer.deb" >/dev/null

echo "== a fresh Debian"
depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed -e 's/|.*//' -e 's/(.*//' | tr -d ' ' | paste -sd,)
mmdebstrap --quiet --variant=minbase --include="systemd-sysv,dbus,curl,procps,util-linux,$depends" \
	bookworm "$scratch/root"
cp "$deb" "$scratch/root/package.deb"
cp "$scratch/newer.deb" "$here/inside.sh" "$scratch/root/"
cat >"$scratch/root/etc/systemd/system/inside.service" <<END
[Unit]
After=multi-user.target
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/inside.sh /package.deb /newer.deb >/said 2>&1; systemctl --no-block poweroff'
TimeoutStartSec=300
[Install]
WantedBy=default.target
END
mkdir -p "$scratch/root/etc/systemd/system/default.target.wants"
ln -s ../inside.service "$scratch/root/etc/systemd/system/default.target.wants/"

echo "== installed and used there"
timeout --kill-after=20 400 systemd-nspawn --quiet --directory="$scratch/root" --machine="pg-$$" --private-network \
	--register=no --keep-unit --boot --console=pipe >"$scratch/boot.log" 2>&1 </dev/null || true
[ -s "$scratch/root/said" ] || {
	tail -n 40 "$scratch/boot.log"
	echo "the container did not come to the package"
	exit 1
}
cat "$scratch/root/said"
tail -n 1 "$scratch/root/said" | grep -q ' passed, 0 failed$'
