#!/bin/sh
# Installs Packhouse on this machine, or another version of it, or removes it. What is there already is only changed
# where it must be: settings and data always stay.
#
#     sh packaging/install.sh                              installs target/packhouse, which packaging/build makes
#     sh packaging/install.sh --from FILE-OR-URL           installs another binary
#     sh packaging/install.sh --from … --sha256 DIGEST     only if it is the one that was meant
#     sh packaging/install.sh --uninstall                  removes all but settings and data
#
# PREFIX (/usr/local) is where it goes. Where systemd runs, it becomes a service, and the service is (re)started.
# DESTDIR is another system's root, for those who make packages: files are put there, and nothing is started.
set -eu

prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}
here=$(dirname "$0")
from=$here/../target/packhouse
sha256=
action=install

fail() { echo "install.sh: $1" >&2; exit "${2:-1}"; }

while [ $# -gt 0 ]; do
    case $1 in
        --from) [ $# -ge 2 ] || fail "--from needs a file or a URL" 2; from=$2; shift ;;
        --sha256) [ $# -ge 2 ] || fail "--sha256 needs a digest" 2; sha256=$2; shift ;;
        --uninstall) action=uninstall ;;
        -h | --help) sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
        *) fail "unknown option $1; --help tells those there are" 2 ;;
    esac
    shift
done
case $prefix in /*) ;; *) fail "PREFIX is a folder's whole path, not $prefix" 2 ;; esac
case $root in '' | /*) ;; *) fail "DESTDIR is a folder's whole path, not $root" 2 ;; esac

bin=$prefix/bin/packhouse
settings=/etc/packhouse/packhouse.toml
units=/etc/systemd/system
sysusers=/etc/sysusers.d/packhouse.conf
man=$prefix/share/man/man1/packhouse.1
bash=$prefix/share/bash-completion/completions/packhouse
zsh=$prefix/share/zsh/site-functions/_packhouse
fish=$prefix/share/fish/vendor_completions.d/packhouse.fish

# The units are for a system that systemd runs, and for one that is only being made.
has_systemd() { [ -n "$root" ] || [ -d /run/systemd/system ]; }
# Orders are for the system that runs.
order() { [ -n "$root" ] || "$@"; }

# Whatever is written is whole or not there: a server may be running from the old file.
put() { # MODE FILE PATH
    mkdir -p "$root$(dirname "$3")"
    cp "$2" "$root$3.new"
    chmod "$1" "$root$3.new"
    mv -f "$root$3.new" "$root$3"
}

uninstall() {
    if [ -e "$root$units/packhouse.service" ]; then
        order systemctl disable --now packhouse.socket packhouse.service || true
    fi
    rm -f "$root$bin" "$root$units/packhouse.service" "$root$units/packhouse.socket" "$root$sysusers" \
        "$root$man" "$root$bash" "$root$zsh" "$root$fish"
    if has_systemd; then order systemctl daemon-reload; fi
    echo "removed. Settings and data stay: $root/etc/packhouse, $root/var/lib/packhouse, and the user packhouse."
}

fetch() { # URL FILE
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1"
    else
        fail "neither curl nor wget is there to fetch $1; fetch it yourself and give the file"
    fi
}

digest() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

install() {
    if [ -z "$root" ] && [ -e /usr/lib/systemd/system/packhouse.service ]; then
        fail "Packhouse was installed as a package of the system: upgrade or remove that one"
    fi
    for file in packhouse.service packhouse.socket packhouse.sysusers packhouse.toml; do
        [ -r "$here/$file" ] || fail "$here/$file is missing: this script needs the folder that it comes in"
    done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    case $from in
        http://* | https://*) fetch "$from" "$work/packhouse" || fail "$from cannot be fetched; nothing was changed" ;;
        *)
            [ -f "$from" ] || fail "there is no $from; packaging/build makes target/packhouse, --from names another"
            cp "$from" "$work/packhouse"
            ;;
    esac
    if [ -n "$sha256" ]; then
        found=$(digest "$work/packhouse")
        [ "$found" = "$(echo "$sha256" | tr 'A-F' 'a-f')" ] ||
            fail "$from has the SHA-256 $found and not $sha256; nothing was changed"
    fi
    chmod 755 "$work/packhouse"
    version=$("$work/packhouse" --version 2>/dev/null) || version=
    case $version in
        'packhouse '*) ;;
        *) fail "$from does not run here as packhouse does; nothing was changed" ;;
    esac
    # Settings that the new version does not take would stop the server: told before anything is changed.
    if [ -z "$root" ] && [ -e "$settings" ]; then
        "$work/packhouse" serve --config "$settings" --print-config >/dev/null ||
            fail "$version does not take the settings that are there; nothing was changed"
    fi
    "$work/packhouse" man >"$work/man"
    for shell in bash zsh fish; do "$work/packhouse" completions $shell >"$work/$shell"; done

    put 755 "$work/packhouse" "$bin"
    put 644 "$work/man" "$man"
    put 644 "$work/bash" "$bash"
    put 644 "$work/zsh" "$zsh"
    put 644 "$work/fish" "$fish"
    if ! has_systemd; then
        echo "installed $version as $bin. systemd does not run here; start the server by whatever does:"
        echo "    $bin serve --data DIR"
        return
    fi
    put 644 "$here/packhouse.sysusers" "$sysusers"
    for unit in packhouse.service packhouse.socket; do
        sed "s|/usr/bin/packhouse|$bin|g" "$here/$unit" >"$work/$unit"
        put 644 "$work/$unit" "$units/$unit"
    done
    [ -e "$root$settings" ] || put 644 "$here/packhouse.toml" "$settings"
    order systemd-sysusers "$sysusers"
    order systemctl daemon-reload
    # An upgrade restarts it, where it is wanted: running requests finish first.
    if [ -z "$root" ] && systemctl is-enabled --quiet packhouse.service 2>/dev/null; then
        systemctl try-restart packhouse.service
    else
        order systemctl enable --now packhouse.service
    fi
    echo "installed $version as $root$bin, with the settings $root$settings"
    [ -n "$root" ] || echo "journalctl -u packhouse shows the address at which the first account is made"
}

if [ -z "$root" ] && [ "$(id -u)" != 0 ] && { [ "$prefix" = /usr/local ] || [ -d /run/systemd/system ]; }; then
    fail "this changes the system: run it as root"
fi
$action
