#!/usr/bin/env bash
# Puts the pages of Debian's Prometheus where its server looks for them: /usr/share/prometheus/web. Needs root.
# Other builds of Prometheus have their pages inside; for them there is nothing to do. Nothing is started.
set -euo pipefail
web=/usr/share/prometheus/web
javascript=/usr/share/javascript
if ! prometheus --version 2>&1 | grep -q 'branch: debian/'; then
  echo "this Prometheus brings its own pages along"
  exit 0
fi
[ -e "$web/templates/graph.html" ] && [ -e "$javascript/rickshaw/rickshaw.min.js" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "the pages of Debian's Prometheus belong into $web: run this as root once" >&2; exit 2; }

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
chmod 755 "$unpacked"
apt-get update -qq
(cd "$unpacked" && apt-get -qq -o APT::Sandbox::User=root download prometheus)
# Of what the package depends on, only what pages are made of.
dpkg-deb -f "$unpacked"/prometheus_*.deb Depends | tr ',' '\n' | sed 's/(.*//' | grep -oE '(libjs|fonts)-[a-z0-9.-]+' |
  DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -qq --no-install-recommends >/dev/null
dpkg-deb -x "$unpacked"/prometheus_*.deb "$unpacked/tree"
mkdir -p "$(dirname "$web")"
cp -a "$unpacked/tree$web" "$(dirname "$web")"
