#!/bin/sh
# Installs Debian or Ubuntu packages where this user may: as root, or by sudo without a password. Exit 1 where not.
set -u
command -v apt-get >/dev/null 2>&1 || exit 1
if [ "$(id -u)" -eq 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else exit 1; fi
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >/dev/null 2>&1
}
echo "Installing system packages: $* ..." >&2
install "$@" || { $as_root apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1; install "$@"; }
