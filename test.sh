#!/usr/bin/env bash
# Proves the tree: formatting, lints, docs, Rust tests on SQLite and on PostgreSQL + Redis, scenes in
# which databases, links and processes fail, and the official clients of OpenAI, Anthropic and Google,
# frameworks that stand on them, the OpenAPI document and a browser against the running product. Installs what is missing where it may, starts private
# services on free ports in a temporary folder, and stops all however it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--long]

  --long   also run the tests that take minutes (sets WAULE_TEST_LONG=1)
  --help   this text

CARGO_TARGET_DIR is respected; Python and Node packages are cached in its folder `test-env`. Pictures
of the pages are left in its folder `screenshots`, and below it in `pages` every page in three widths,
both languages and both themes; WAULE_UPDATE_SCREENSHOTS=1 also puts README's where it shows them,
admin-templates/screenshots.
TEXT
}

while (($#)); do
  case $1 in
    --long) export WAULE_TEST_LONG=1 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

# --- a known environment -----------------------------------------------------------------------

# Settings of the person's shell would otherwise reach the processes under test and the clients.
unset CONFIG WAULE_CONFIG WAULE_MODE DATABASE_URL GATEWAY_DATABASE_URL REDIS_URL GATEWAY_REDIS_URL GATEWAY_URLS \
  INTERNAL_SECRET JWT_SECRET CONFIG_ENCRYPTION_KEY HOST PORT GATEWAY_HOST GATEWAY_PORT \
  GATEWAY_TLS_CERT GATEWAY_TLS_KEY GATEWAY_CLIENT_CA GATEWAY_CA GATEWAY_CLIENT_CERT \
  GATEWAY_CLIENT_KEY GATEWAY_CONNECTIONS LINK_PATIENCE_SECONDS LINK_COMPRESSION LINK_HEDGING \
  DETACHED_SECONDS OUTPUT_KEPT_BYTES PREFIX_KEPT_BYTES \
  DETACHED_SECONDS_MAX READ_ON_SECONDS BALANCE_SECONDS OUTCOMES_KEPT_BYTES OUTCOMES_KEPT_HOURS \
  PROVIDER_FIRST_BYTE_SECONDS PROVIDER_SILENCE_SECONDS BODY_BYTES_MAX BODY_MEMORY_MAX \
  GATEWAY_BODY_BYTES_MAX CALL_SECONDS_MAX RECOVERY_SECONDS OWNER_SILENT_SECONDS \
  KEPT_BYTES_MAX KEPT_TENANT_BYTES_MAX BACKGROUND_MAX EXPIRY_GRACE_SECONDS UNKNOWN_ASK_DAYS UNKNOWN_RELEASE_SECONDS DRAIN_NOTICE_SECONDS PUBLIC_URL OUTBOUND_PRIVATE \
  CORS_ORIGINS TRUSTED_PROXIES FORWARDED_HEADER \
  METRICS_HOST METRICS_PORT DATA_DIR DEMO_TENANT_KEY ADMIN_PASSWORD LOG LOG_FORMAT SHUTDOWN_SECONDS \
  PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS PGDATA \
  PYTHONPATH PYTHONHOME PYTEST_ADDOPTS NODE_OPTIONS OPENAI_API_KEY OPENAI_BASE_URL OPENAI_ORG_ID \
  OPENAI_PROJECT_ID OPENAI_LOG OPENAI_CUSTOM_HEADERS OPENAI_API_BASE OPENAI_PROXY OPENAI_ADMIN_KEY \
  ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL ANTHROPIC_API_URL ANTHROPIC_LOG \
  ANTHROPIC_CUSTOM_HEADERS ANTHROPIC_PROXY GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_CLOUD_PROJECT \
  GOOGLE_CLOUD_LOCATION GOOGLE_GENAI_USE_VERTEXAI GOOGLE_GENAI_USE_ENTERPRISE GOOGLE_GEMINI_BASE_URL \
  LANGSMITH_API_KEY LANGSMITH_TRACING LANGCHAIN_TRACING_V2 LANGCHAIN_API_KEY LANGCHAIN_PROJECT
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
# Snapshots are compared here, never written.
export INSTA_UPDATE=no
# A proxy for the outside world must not see calls to this machine.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy="$NO_PROXY"

readonly READY_SECONDS=30
readonly STOP_SECONDS=15
readonly LOG_LINES=20
readonly FAILED_LINES=120

work=""            # temporary folder
target=""          # cargo's target folder
step_pid=""        # the running step, leader of a process group of its own
step_title=""
step_began=1       # where in the output the running step's begins, in bytes
names=()           # services, oldest first
declare -A pids=() # service -> process

say() { printf '%s\n' "$*"; }
heading() { printf '\n=== %s\n' "$*"; }
die() { printf 'test.sh: %s\n' "$*" >&2; exit 1; }

# --- stopping ----------------------------------------------------------------------------------

alive() { kill -0 "$1" 2>/dev/null; }

# Waits for the end of a child; its status is then 0 only if it ended by itself and well.
stop_service() {
  local name=$1 signal=${2:-TERM} pid=${pids[$1]:-} status=0 tenths
  [[ -n $pid ]] || return 0
  unset "pids[$name]"
  kill -s "$signal" "$pid" 2>/dev/null || true
  for ((tenths = 0; tenths < STOP_SECONDS * 10; tenths++)); do
    alive "$pid" || break
    sleep 0.1
  done
  if alive "$pid"; then
    say "service $name did not stop within $STOP_SECONDS s and was killed" >&2
    kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null || status=$?
  return "$status"
}

stop_step() {
  [[ -n $step_pid ]] || return 0
  # The group when there is one already, else the process itself.
  kill -TERM -- "-$step_pid" 2>/dev/null || kill -TERM "$step_pid" 2>/dev/null || true
  wait "$step_pid" 2>/dev/null || true
  kill -KILL -- "-$step_pid" 2>/dev/null || true
  step_pid=""
}

show_logs() {
  local name
  for name in "${names[@]}"; do
    [[ -s $work/logs/$name.log ]] || continue
    printf '\n--- last lines of the log of %s\n' "$name"
    tail -n "$LOG_LINES" "$work/logs/$name.log"
  done
}

# Sums what cargo, pytest and node reported themselves.
totals() {
  [[ -s $work/output ]] || return 0
  awk '
    /^test result: / {
      for (i = 1; i < NF; i++) {
        if ($(i + 1) ~ /^passed/) passed += $i
        if ($(i + 1) ~ /^failed/) failed += $i
        if ($(i + 1) ~ /^ignored/) ignored += $i
      }
    }
    /^=* ?[0-9]+ (passed|failed|skipped|error|xfailed|deselected).* in [0-9.]+s/ {
      for (i = 1; i < NF; i++) {
        if ($(i + 1) ~ /^passed/) passed += $i
        if ($(i + 1) ~ /^(failed|error)/) failed += $i
        if ($(i + 1) ~ /^(skipped|xfailed|deselected)/) ignored += $i
      }
    }
    /^ℹ (pass|fail|cancelled|skipped|todo) [0-9]+$/ {
      if ($2 == "pass") passed += $3
      else if ($2 == "fail" || $2 == "cancelled") failed += $3
      else ignored += $3
    }
    END {
      printf "\n%d passed, %d failed", passed, failed
      if (ignored) printf ", %d ignored", ignored
      printf "\n"
    }' "$work/output"
}

# What the failed step said of its failures, as the last thing that is read: a log of services is long.
failures() {
  local told
  [[ -s $work/output ]] || return 0
  told=$(tail -c "+$step_began" "$work/output" | awk '
    /^failures:$|^=+ (FAILURES|ERRORS) =+$|failing tests:$/ { told = 1 }
    told && /[^[:space:]]/ { print substr($0, 1, 400) }
    /^test result: FAILED/ { told = 0 }' | head -n "$FAILED_LINES")
  # A compiler has words of its own; they are its last ones.
  [[ -n $told ]] || told=$(tail -c "+$step_began" "$work/output" | tail -n 40)
  printf '\n--- what failed\n%s\n' "$told"
}

finish() {
  local status=$? i
  trap - EXIT
  trap '' INT TERM HUP
  set +e
  stop_step
  for ((i = ${#names[@]} - 1; i >= 0; i--)); do
    if [[ ${names[i]} == postgres ]]; then
      stop_service postgres QUIT
    else
      stop_service "${names[i]}"
    fi
  done >/dev/null
  if [[ -n $work ]]; then
    ((status == 0)) || { show_logs; failures; }
    totals
    rm -rf -- "$work"
  fi
  ((status == 0)) || printf 'test.sh: FAILED%s\n' "${step_title:+ at: $step_title}" >&2
  exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- steps and services ------------------------------------------------------------------------

# Runs one command with a heading and its time; its output goes to the terminal and to the totals.
# In a group of its own, so that an interrupted step leaves no compiler or test behind.
step() {
  local began=$SECONDS status=0 tee_pid tenths
  step_title=$1
  shift
  heading "$step_title"
  rm -f "$work/pipe"
  mkfifo "$work/pipe"
  touch "$work/output"
  step_began=$(($(stat -c %s "$work/output") + 1))
  tee -a "$work/output" <"$work/pipe" &
  tee_pid=$!
  setsid setpriv --pdeathsig TERM -- "$@" </dev/null >"$work/pipe" 2>&1 &
  step_pid=$!
  wait "$step_pid" || status=$?
  kill -KILL -- "-$step_pid" 2>/dev/null && say "(processes left behind by this step were killed)"
  step_pid=""
  for ((tenths = 0; tenths < 50; tenths++)); do
    alive "$tee_pid" || break
    sleep 0.1
  done
  kill "$tee_pid" 2>/dev/null || true
  wait "$tee_pid" 2>/dev/null || true
  say "--- $step_title: $((SECONDS - began)) s"
  ((status == 0)) || exit "$status"
  step_title=""
}

# Starts a service that ends with this script, even when the script is killed.
start() {
  local name=$1 log=$work/logs/$1.log
  shift
  names+=("$name")
  setpriv --pdeathsig TERM -- "$@" </dev/null >"$log" 2>&1 &
  pids[$name]=$!
}

# wait_for SERVICE COMMAND...: until the command succeeds, or the service ends, or time is up.
wait_for() {
  local name=$1 tenths
  shift
  for ((tenths = 0; tenths < READY_SECONDS * 10; tenths++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    alive "${pids[$name]}" || die "$name ended while starting"
    sleep 0.1
  done
  die "$name was not ready within $READY_SECONDS s"
}

# --- what the machine must have ----------------------------------------------------------------

# Prints the folder that holds all PostgreSQL programs we need.
find_postgres() {
  local dir program on_path
  on_path=$(command -v postgres || true)
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
    ${on_path:+"$(dirname "$(realpath "$on_path")")"}; do
    for program in initdb postgres pg_isready createdb; do
      [[ -x $dir/$program ]] || continue 2
    done
    say "$dir"
    return 0
  done
  return 1
}

# Prints the browser. Debian calls it chromium; elsewhere a package of that name may be something else.
find_chromium() { command -v chromium || command -v google-chrome || command -v chromium-browser; }

# Prints the Debian packages that are missing.
missing_packages() {
  command -v cc >/dev/null || say gcc libc6-dev
  command -v curl >/dev/null || say curl
  [[ -e /etc/ssl/certs/ca-certificates.crt ]] || say ca-certificates
  find_postgres >/dev/null || say postgresql
  { command -v redis-server && command -v redis-cli; } >/dev/null || say redis-server
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || say python3 python3-venv
  command -v node >/dev/null || say nodejs
  command -v npm >/dev/null || say npm
  find_chromium >/dev/null || say chromium
  # Without Chinese letters half of the pages would be boxes.
  { command -v fc-list && [[ -n $(fc-list :lang=zh family) ]]; } >/dev/null 2>&1 ||
    say fontconfig fonts-noto-cjk
}

as_root() { if ((EUID == 0)); then "$@"; else sudo -n -- "$@"; fi; }

install_packages() {
  local policy=/usr/sbin/policy-rc.d made_policy="" status=0
  local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
  heading "Installing: $*"
  # Debian starts what it installs; the tests start their own and must leave nothing running.
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made_policy=yes
  fi
  { as_root "${apt[@]}" update && as_root "${apt[@]}" install --no-install-recommends "$@"; } ||
    status=$?
  [[ -z $made_policy ]] || as_root rm -f "$policy"
  ((status == 0)) || die "apt-get could not install: $*"
}

need_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages | tr ' ' '\n')
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null || ! { ((EUID == 0)) || sudo -n true 2>/dev/null; }; then
    die "this machine lacks what the tests need; please install:
  apt-get install ${missing[*]}
(or what your system calls them) and run ./test.sh again"
  fi
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages | tr ' ' '\n')
  ((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
}

need_node_version() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 18 || (a === 18 && b >= 15) ? 0 : 1)' ||
    die "Node 18.15 or newer is needed (found $(node --version)); install a newer one and put it first in PATH"
}

need_python_version() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "Python 3.11 or newer is needed (found $(python3 --version)); install a newer one and put it first in PATH"
}

need_rust() {
  local part
  command -v cargo >/dev/null ||
    die "Rust is missing; install it with rustup (https://rustup.rs) or your system's packages, then run ./test.sh again"
  for part in fmt clippy; do
    cargo "$part" --version >/dev/null 2>&1 && continue
    command -v rustup >/dev/null && rustup component add rustfmt clippy && return 0
    die "cargo $part is missing; install the components rustfmt and clippy of your Rust toolchain"
  done
}

# --- environments of the clients ---------------------------------------------------------------

# python_packages FOLDER VARIABLE: an environment with what the requirements.txt of a folder pins. It
# is named after what is in it, so a changed pin or interpreter makes a new one.
python_packages() {
  local pins=$1/requirements.txt key home
  key=$({ python3 -c 'import sys; print(sys.version, sys.executable)'; cat "$pins"; } | sha256sum)
  home=$target/test-env/py-${key:0:16}
  if [[ ! -e $home/ready ]]; then
    rm -rf -- "$home"
    mkdir -p "$target/test-env"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check -r "$pins"
    touch "$home/ready"
  fi
  printf -v "$2" %s "$home"
}

python_env() {
  python_packages tests/sdk/python python_home
  python_packages tests/schemathesis schemathesis_home
}

# node_packages FOLDER VARIABLE: installs what the tests of a folder need, and copies them beside it.
node_packages() {
  local from=$1 key home
  key=$({ node --version; cat "$from/package.json" "$from/package-lock.json"; } | sha256sum)
  home=$target/test-env/node-${key:0:16}
  if [[ ! -e $home/ready ]]; then
    rm -rf -- "$home"
    mkdir -p "$home"
    cp "$from/package.json" "$from/package-lock.json" "$home/"
    npm ci --prefix "$home" --no-audit --no-fund --ignore-scripts --loglevel=error
    touch "$home/ready"
  fi
  # Node looks for packages beside the file that imports them.
  rm -f -- "$home"/*.mjs "$home"/*.py
  find "$from" -maxdepth 1 \( -name '*.mjs' -o -name '*.py' \) -exec cp -t "$home" {} +
  printf -v "$2" %s "$home"
}

node_env() {
  node_packages tests/sdk/node node_home
  node_packages tests/browser browser_home
}

# --- private services --------------------------------------------------------------------------

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Below the range that the kernel gives to outgoing connections, so none of those takes one.
free_ports() {
  python3 - "$1" <<'PY'
import random, socket, sys
held = []
for port in random.sample(range(15000, 32000), 2000):
    if len(held) == int(sys.argv[1]):
        break
    probe = socket.socket()
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        continue
    held.append(probe)
    print(port)
PY
}

start_postgres() {
  local port=$1 bin data=$work/postgres password
  local -a owner=()
  bin=$(find_postgres)
  password=$(random_hex 16)
  mkdir -m 700 "$data"
  printf '%s\n' "$password" >"$data.password"
  if ((EUID == 0)); then
    # PostgreSQL refuses to run as root.
    local user=postgres
    id -u "$user" >/dev/null 2>&1 || user=nobody
    owner=("--reuid=$user" "--regid=$(id -g "$user")" --init-groups)
    chown "$user" "$data" "$data.password"
    setpriv "${owner[@]}" -- test -w "$data" ||
      die "user $user can't reach $work; set TMPDIR to a folder that everybody may pass through"
  fi
  # Passwords in clear over 127.0.0.1: a digest would cost every test connection in a debug build.
  setpriv "${owner[@]}" -- env -C "$data" "$bin/initdb" -D "$data" -U postgres --locale=C \
    --encoding=UTF8 --auth=password --pwfile="$data.password" --no-sync \
    >"$work/logs/initdb.log" 2>&1 || { cat "$work/logs/initdb.log" >&2; die "initdb failed"; }
  names+=(postgres)
  # Nothing here outlives the tests, so nothing waits for the disk.
  setpriv "${owner[@]}" --pdeathsig QUIT -- env -C "$data" "$bin/postgres" -D "$data" \
    -c listen_addresses=127.0.0.1 -c "port=$port" -c unix_socket_directories= \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 \
    -c shared_buffers=64MB -c log_min_messages=warning \
    </dev/null >"$work/logs/postgres.log" 2>&1 &
  pids[postgres]=$!
  wait_for postgres "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"
  export TEST_DATABASE_URL="postgres://postgres:$password@127.0.0.1:$port/postgres"
  local name
  for name in waule_server waule_gateway; do
    PGPASSWORD=$password "$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres "$name"
  done
  database_prefix=${TEST_DATABASE_URL%/*}
  # One test kills a cluster of its own.
  export TEST_POSTGRES_PROGRAMS=$bin
}

start_redis() {
  local port=$1
  start redis redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$work"
  wait_for redis redis-cli -h 127.0.0.1 -p "$port" ping
  export TEST_REDIS_URL="redis://127.0.0.1:$port"
}

# --- the product under the official clients ----------------------------------------------------

ready() { curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$1/readyz"; }

# A process that was told to stop must end well; what it said is in its log.
stop_well() {
  stop_service "$1" || die "$1 ended with status $? when told to stop"
}

sdk_tests() {
  local shape=$1 port=$2
  local -a given=(
    env "WAULE_BASE_URL=http://127.0.0.1:$port/api/v1" "WAULE_KEY=$demo_key"
    "WAULE_ADMIN_PASSWORD=$admin_password"
  )
  step "Python clients, $shape" "${given[@]}" "$python_home/bin/python" -m pytest -q \
    -p no:cacheprovider --strict-markers tests/sdk/python
  # The fakes of vendors are the Python suite's.
  given+=("WAULE_PYTHON=$python_home/bin/python" "WAULE_FAKES=$PWD/tests/sdk/python/serve.py")
  step "Node clients, $shape" "${given[@]}" node --test --test-reporter=spec \
    "$node_home"/*.test.mjs
}

all_in_one() {
  local port=$1 gateway_port=$2 metrics_port=$3
  start waule env HOST=127.0.0.1 "PORT=$port" "GATEWAY_PORT=$gateway_port" \
    "METRICS_PORT=$metrics_port" "DATA_DIR=$work/waule" SHUTDOWN_SECONDS=5 \
    "DEMO_TENANT_KEY=$demo_key" "ADMIN_PASSWORD=$admin_password" "$target/debug/waule"
  wait_for waule ready "$port"
  sdk_tests "all in one on SQLite" "$port"
  stop_well waule
}

# A product that nobody needs afterwards: what the document allows is tried on it, and what it forbids.
document() {
  local port=$1 gateway_port=$2 metrics_port=$3
  start waule-document env HOST=127.0.0.1 "PORT=$port" "GATEWAY_PORT=$gateway_port" \
    "METRICS_PORT=$metrics_port" "DATA_DIR=$work/document" SHUTDOWN_SECONDS=5 \
    "DEMO_TENANT_KEY=$demo_key" "ADMIN_PASSWORD=$admin_password" "$target/debug/waule"
  wait_for waule-document ready "$port"
  step "The OpenAPI document against the product" env "WAULE_BASE_URL=http://127.0.0.1:$port/api/v1" \
    "WAULE_KEY=$demo_key" "WAULE_ADMIN_PASSWORD=$admin_password" "TMPDIR=$work" \
    "SCHEMATHESIS=$schemathesis_home/bin/schemathesis" \
    tests/schemathesis/run.sh ${WAULE_TEST_LONG:+--long}
  stop_well waule-document
}

apart() {
  local port=$1 gateway_port=$2 server_metrics=$3 gateway_metrics=$4
  local -a common=(
    env WAULE_MODE=production SHUTDOWN_SECONDS=5 "INTERNAL_SECRET=$(random_hex 32)"
    "CONFIG_ENCRYPTION_KEY=$(random_hex 32)" "REDIS_URL=$TEST_REDIS_URL"
  )
  start waule-gateway "${common[@]}" "DATA_DIR=$work/gateway" GATEWAY_HOST=127.0.0.1 \
    "GATEWAY_PORT=$gateway_port" "METRICS_PORT=$gateway_metrics" \
    "GATEWAY_DATABASE_URL=$database_prefix/waule_gateway" "$target/debug/waule" gateway
  wait_for waule-gateway ready "$gateway_port"
  start waule-server "${common[@]}" "DATA_DIR=$work/server" HOST=127.0.0.1 "PORT=$port" \
    "METRICS_PORT=$server_metrics" "JWT_SECRET=$(random_hex 32)" \
    "DATABASE_URL=$database_prefix/waule_server" "GATEWAY_URLS=http://127.0.0.1:$gateway_port" \
    "DEMO_TENANT_KEY=$demo_key" "ADMIN_PASSWORD=$admin_password" "$target/debug/waule" server
  wait_for waule-server ready "$port"
  sdk_tests "server and gateway apart on PostgreSQL and Redis" "$port"
  stop_well waule-server
  stop_well waule-gateway
}

# --- the scenes ----------------------------------------------------------------------------------

# What tests that pass have counted in scenes of failing databases, links and processes.
scene_figures() {
  local kept=$target/tmp/scenes.txt
  [[ -s $kept ]] || die "the scenes left no figures"
  heading "Figures of the scenes"
  sort -- "$kept"
}

# --- the pages in a browser --------------------------------------------------------------------

# The tests start products of their own, one for each file.
browser_tests() {
  local title=$1 shape=$2 kept=""
  [[ ${WAULE_UPDATE_SCREENSHOTS:-} != 1 || $shape != sqlite ]] || kept=$PWD/admin-templates/screenshots
  step "Browser, $title" env "WAULE_SHAPE=$shape" "WAULE_BINARY=$target/debug/waule" \
    "WAULE_CHROMIUM=$(find_chromium)" "WAULE_SCREENSHOTS=$target/screenshots" \
    "WAULE_SCREENSHOTS_KEPT=$kept" "TMPDIR=$work" \
    node --test --test-reporter=spec "$browser_home"/*.test.mjs
}

# --- everything, in order ----------------------------------------------------------------------

need_packages
need_rust
need_node_version
need_python_version

# Whatever decides on it (environment or cargo's configuration), cargo knows.
target=$(cargo metadata --locked --no-deps --format-version 1 |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

work=$(mktemp -d "${TMPDIR:-/tmp}/waule-test.XXXXXXXX")
# The user that PostgreSQL runs as must be able to pass through.
chmod 711 "$work"
mkdir "$work/logs"

step "Formatting" cargo fmt --all --check
step "Lints" cargo clippy --locked --workspace --all-targets -- -D warnings
step "Documentation" env RUSTDOCFLAGS="-D warnings" \
  cargo doc --locked --workspace --no-deps --document-private-items

heading "Private PostgreSQL and Redis, Python and Node environments"
began=$SECONDS
mapfile -t ports < <(free_ports 9)
((${#ports[@]} == 9)) || die "no nine free ports on 127.0.0.1"
start_postgres "${ports[0]}"
start_redis "${ports[1]}"
python_env
node_env
say "--- ready: $((SECONDS - began)) s"

rm -f -- "$target/tmp/scenes.txt"
step "Rust tests, on SQLite and on PostgreSQL and Redis" \
  cargo test --locked --workspace --no-fail-fast
scene_figures

step "Build, as cargo run does" cargo build --locked

demo_key=wk_live_$(random_hex 16)
admin_password=$(random_hex 16)
all_in_one "${ports[@]:2:3}"
document "${ports[@]:2:3}"
apart "${ports[@]:5:4}"
browser_tests "all in one on SQLite" sqlite
browser_tests "all in one on PostgreSQL and Redis" postgres
