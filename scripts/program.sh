#!/bin/sh
# Runs one test program, as cargo asks. The tests of these wait for blocks, disks and other processes more than they compute, so twice as many
# of them run at a time as there are cores.
case "$PWD/${1##*/}" in
*/ledger/chain/cluster-* | */ledger/server/cluster-* | */node/processes-* | */node/bad_start-*)
  export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((2 * $(nproc)))}"
  ;;
esac
exec "$@"
