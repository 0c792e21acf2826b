# shellcheck shell=bash disable=SC2154
# Where the heap's memory lies: pinned, on huge pages, on memory nodes. A part of scripts/test-preload, whose functions and
# variables it uses.

# A pinned heap. How much root may lock has no limit; an ordinary user's limit may be too low.
pinned=67108864
may_pin() { [ "$(ulimit -l)" = unlimited ] || [ "$(id -u)" -eq 0 ] || [ "$(ulimit -l)" -ge 600000 ]; }
if $is_emulated; then
  skip "a pinned heap (the emulator locks nothing)"
elif ! may_pin; then
  skip "a pinned heap (ulimit -l allows too little)"
else
  export HEAPLAB_PIN=64M
  expect "pinned: held from the start" $build/pinned held $pinned
  expect "pinned: spills" $build/pinned spill $pinned
  expect "pinned: a child of fork" $build/pinned child
  expect "pinned: fork load" $build/fork load 20
  HEAPLAB_RESERVE=1 expect "pinned: in one reserved range" $build/pinned held $pinned
  HEAPLAB_PIN=1 expect "pinned: the least" $build/pinned held 1
  HEAPLAB_PIN_OVERFLOW=fail expect "pinned: takes nothing more" $build/pinned fail $pinned
  HEAPLAB_PIN_OVERFLOW=fail expect "pinned: a child of fork, sealed" $build/pinned child
  HEAPLAB_PIN=512M HEAPLAB_PIN_OVERFLOW=fail expect "pinned: fork load, sealed" $build/fork load 20
  expect_line "pinned: RLIMIT_AS" "HEAPLAB_PIN=512M is more than the system gives; .* bytes are taken all the same" \
    bash -c "ulimit -v 200000; HEAPLAB_PIN=512M HEAPLAB_PIN_OVERFLOW=fail exec $build/pinned fills 1"
  HEAPLAB_PIN=256M HEAPLAB_PIN_OVERFLOW=fail expect "pinned: handover" $build/handover 40
  HEAPLAB_PIN=1G HEAPLAB_PIN_OVERFLOW=fail expect "pinned: random requests" $build/differential 2 2 $RANDOM
  HEAPLAB_LIMIT=64M HEAPLAB_PIN=all HEAPLAB_PIN_OVERFLOW=fail expect "pinned: all of the quota" $build/pinned fail $pinned
  HEAPLAB_PIN=all expect "pinned: whatever the heap takes" $build/pinned held 1000000
  HEAPLAB_PIN=all expect "pinned: whatever the heap takes, random requests" $build/differential 2 2 $RANDOM
  # Every bad wish is one line, and the program goes on.
  HEAPLAB_PIN=2x expect_line "pinned: no size" "HEAPLAB_PIN=2x is neither a byte count such as 512M nor all; nothing is pinned" \
    $build/pinned none
  HEAPLAB_PIN=0 expect_line "pinned: nothing" "HEAPLAB_PIN=0 is neither .*; nothing is pinned" $build/pinned none
  HEAPLAB_PIN_OVERFLOW=spil expect_line "pinned: no policy" "HEAPLAB_PIN_OVERFLOW=spil is neither spill nor fail; it is spill" \
    $build/pinned held $pinned
  HEAPLAB_PIN=all HEAPLAB_PIN_OVERFLOW=fail expect_line "pinned: no bound" \
    "HEAPLAB_PIN_OVERFLOW=fail needs a number of bytes, by HEAPLAB_PIN or HEAPLAB_LIMIT; it is spill" $build/pinned held 1000000
  HEAPLAB_LIMIT=32M expect_line "pinned: more than the quota" "HEAPLAB_PIN=64M is more than HEAPLAB_LIMIT; it is that" \
    $build/pinned held $((pinned / 2))
  for policy in firstfit buddy; do
    HEAPLAB_POLICY=$policy expect_line "pinned: policy $policy" "HEAPLAB_PIN=64M needs the policy general; nothing is pinned" \
      $build/pinned none
  done
  for size in 9000T 16777215T 18446744073709551615; do
    HEAPLAB_PIN=$size expect_line "pinned: more than there is" \
      "HEAPLAB_PIN=$size is more than the [0-9]+ bytes that .*; (free memory|raise the limit) or ask for less; nothing is pinned" \
      $build/pinned none
  done
  limit_line="HEAPLAB_PIN=64M needs [0-9]+ bytes of locked memory, and RLIMIT_MEMLOCK allows [0-9]+; allow more by 'ulimit -l [0-9]+' or CAP_IPC_LOCK"
  for limit in 0 64 8192; do
    expect_line "pinned: a limit of $limit KiB, spill" "$limit_line; nothing is pinned" $build/pinned lower $limit $build/pinned none
    HEAPLAB_PIN_OVERFLOW=fail expect_line "pinned: a limit of $limit KiB, fail" \
      "$limit_line; $pinned bytes are pre-faulted, of them locked [0-9]+" $build/pinned lower $limit $build/pinned fail $pinned
  done
  HEAPLAB_PIN=all expect_line "pinned: all, past the limit" \
    "HEAPLAB_PIN=all: no more than [0-9]+ bytes can be pinned \(error [0-9]+\), .*; the rest is not pinned" \
    $build/pinned lower 8192 $build/pinned fills $pinned
  # The kernel refuses the calls, as a sandbox may.
  for call in mlock2 mlock; do
    strace -f -qq -o /dev/null -e trace=$call -e inject=$call:error=EPERM -E LD_PRELOAD="$library" $build/pinned fills $pinned >$build/output 2>&1
    case $?-$call-$(grep -c '^heaplab: HEAPLAB_PIN=64M is more than the system gives' $build/output) in
    0-mlock2-1 | 0-mlock-0) pass ;;
    *) lose "pinned: $call is refused: $(head -n 3 $build/output)" ;;
    esac
  done
  # In the marked phase each thread makes no system call but the mark.
  HEAPLAB_PIN=512M HEAPLAB_PIN_OVERFLOW=fail strace -f -qq -o $build/calls -E LD_PRELOAD="$library" \
    $build/pinned steady $steady_count >$build/output 2>&1
  status=$?
  calls=$(awk '/steady begins/ {on[$1] = 1; next} /steady ends/ {on[$1] = 0} on[$1] && !/write resumed/' $build/calls)
  if [ $status -eq 0 ] && [ "$(grep -c 'steady begins' $build/calls)" -eq 2 ] && [ -z "$calls" ]; then pass; else
    lose "pinned: the steady state (status $status): $(cat $build/output) $(head -n 3 <<<"$calls")"
  fi
  unset HEAPLAB_PIN
fi

# Huge pages. The pool is the system's, and only root can fill it.
huge_line="pages more the system has [0-9]+; provide more by 'sysctl vm.nr_hugepages' or in /sys/kernel/mm/hugepages/hugepages-[0-9]+kB/nr_hugepages; the rest is transparent"
if $is_emulated; then
  skip "huge pages (the emulator has none)"
else
  HEAPLAB_HUGE=none expect "huge pages: none" $build/huge small
  HEAPLAB_HUGE=thp expect_or_skip "huge pages: transparent" $build/huge thp 20000000
  HEAPLAB_HUGE=2m expect_line "huge pages: no kind" "HEAPLAB_HUGE=2m is none of none, thp, 2M and 1G; the system decides" $build/huge fork
  HEAPLAB_HUGE=1G HEAPLAB_RESERVE=1 expect_line "huge pages: in a reserved range" \
    "HEAPLAB_HUGE=1G cannot be had with HEAPLAB_RESERVE=1; it is thp" $build/huge fork
  HEAPLAB_HUGE=2M HEAPLAB_POLICY=buddy expect_line "huge pages: policy buddy" \
    "HEAPLAB_HUGE=2M needs the policy general; the system decides" $build/huge fork
  pool=/proc/sys/vm/nr_hugepages pool_before=$(cat /proc/sys/vm/nr_hugepages 2>/dev/null)
  if [ "$pool_before" != 0 ] || [ ! -w $pool ]; then
    skip "huge pages: explicit ones (needs the right to fill a pool that is empty)"
  else
    for kind in 2M 1G; do
      HEAPLAB_HUGE=$kind expect_line "huge pages: an empty pool, $kind" "HEAPLAB_HUGE=$kind: of [0-9]+ $huge_line" $build/huge fork
    done
    echo 100 2>/dev/null >$pool
    if [ "$(cat $pool)" -lt 100 ]; then skip "huge pages: explicit ones (memory is too fragmented)"; else
      HEAPLAB_HUGE=2M expect "huge pages: as the heap grows" $build/huge explicit 60000000
      HEAPLAB_HUGE=2M expect "huge pages: a child of fork" $build/huge fork
      HEAPLAB_HUGE=2M HEAPLAB_PIN=100M HEAPLAB_PIN_OVERFLOW=fail expect "huge pages: pinned" $build/huge explicit 104857600
      HEAPLAB_HUGE=2M HEAPLAB_PIN=256M HEAPLAB_PIN_OVERFLOW=fail expect_line "huge pages: a pool that is too small" \
        "HEAPLAB_HUGE=2M: of 1[0-9]+ $huge_line" $build/huge explicit 150000000
      HEAPLAB_HUGE=2M expect "huge pages: random requests" $build/differential 2 2 $RANDOM
      HEAPLAB_HUGE=2M expect "huge pages: fork load" $build/fork load 20
    fi
    echo "$pool_before" >$pool
  fi
fi
# Memory nodes. scripts/test-numa has a machine with four; here the lines and the first node are tested.
elsewhere="pages lie where the system puts them"
if $is_emulated; then
  skip "memory nodes (they would be the emulator's)"
elif ! [ -e /sys/devices/system/node/node0 ]; then
  skip "memory nodes (the kernel has none)"
else
  first_node=$(cut -d, -f1 /sys/devices/system/node/has_memory | cut -d- -f1)
  HEAPLAB_NODE=$first_node expect "nodes: the first" $build/nodes on "$first_node"
  HEAPLAB_NODE=local expect "nodes: local" $build/nodes any
  HEAPLAB_NODE=interleave expect "nodes: interleaved" $build/nodes any
  HEAPLAB_NODE=local expect "nodes: local, random requests" $build/differential 2 2 $RANDOM
  HEAPLAB_NODE=$first_node HEAPLAB_PIN=64M HEAPLAB_PIN_OVERFLOW=fail expect "nodes: pinned" $build/nodes --pinned on "$first_node"
  for value in "" localhost 0, ,0 0-3 -1 1.5 99999999999999999999; do
    HEAPLAB_NODE=$value expect_line "nodes: no node '$value'" \
      "HEAPLAB_NODE=$value is neither local, interleave nor numbers such as 0,2; $elsewhere" $build/nodes any
  done
  for value in 1000 4294967296; do
    HEAPLAB_NODE=$value expect_line "nodes: node $value" \
      "HEAPLAB_NODE=$value: the process may have no memory on node $value, only on [0-9 ]+.*; the heap goes on without it" $build/nodes any
  done
  HEAPLAB_NODE=local HEAPLAB_POLICY=firstfit expect_line "nodes: policy firstfit" \
    "HEAPLAB_NODE=local needs the policy general; $elsewhere" $build/nodes any
  # A sandbox, as containers have, or a kernel without nodes.
  for call in mbind:EPERM mbind:ENOSYS get_mempolicy:EPERM get_mempolicy:ENOSYS; do
    HEAPLAB_NODE=$first_node strace -f -qq -o /dev/null -e trace=${call%:*} -e inject=${call%:*}:error=${call#*:} \
      -E LD_PRELOAD="$library" $build/nodes any >$build/output 2>&1
    if [ $? -eq 0 ] && [ "$(grep -c "^heaplab: HEAPLAB_NODE=$first_node: the system refuses (error [0-9]*); .*; $elsewhere\$" $build/output)" -eq 1 ]; then
      pass
    else
      lose "nodes: $call: $(head -n 3 $build/output)"
    fi
  done
fi

# Heaps by options. The library's name is in the program; the one that is preloaded has it.
if $is_emulated || [ -z "$library" ]; then
  skip "heaps by options (they need the library, and locks)"
elif ! compile -I CShims/CLabMalloc/include Tests/Preload/options.c -o $build/options "$library"; then
  lose "heaps by options: the program"
else
  if may_pin; then expect "heaps by options" $build/options; else skip "heaps by options (ulimit -l allows too little)"; fi
  expect "heaps by options: past the limit of locked memory" $build/pinned lower 64 $build/options limited
  if [ "$pool_before" = 0 ] && [ -w $pool ] && echo 20 2>/dev/null >$pool && [ "$(cat $pool)" -ge 20 ]; then
    expect "heaps by options: huge pages" $build/options huge
    echo 0 >$pool
  else
    skip "heaps by options: huge pages (needs the right to fill a pool that is empty)"
  fi
fi
