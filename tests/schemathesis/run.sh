#!/usr/bin/env bash
# Asks every route of both halves of the OpenAPI document, with what the document allows and with what
# it forbids, and fails when an answer is not one that the document tells.
#
# A product runs already, a fresh one that nobody needs afterwards: tenants, keys, models and providers
# are made and deleted in it. The virtual environment holds what requirements.txt pins. Then:
#
#   short: WAULE_BASE_URL=http://127.0.0.1:3000/api/v1 WAULE_KEY=wk_live_… WAULE_ADMIN_PASSWORD=… \
#            SCHEMATHESIS=<venv>/bin/schemathesis tests/schemathesis/run.sh
#   long:  the same with --long: ten times the examples, and sequences of requests as well.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
origin=${WAULE_BASE_URL%/}
origin=${origin%/api/v1}
key=${WAULE_KEY:?a key of a tenant with credits}
password=${WAULE_ADMIN_PASSWORD:?the password of the superadmin admin}
schemathesis=${SCHEMATHESIS:-schemathesis}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

examples=10
phases=examples,coverage,fuzzing
case ${1:-} in
  "") ;;
  --long)
    examples=100
    phases=$phases,stateful
    ;;
  *)
    echo "usage: run.sh [--long]" >&2
    exit 2
    ;;
esac

token=$(python3 - "$origin" "$password" <<'PY'
import json, sys, urllib.request
origin, password = sys.argv[1:]
body = json.dumps({"username": "admin", "password": password}).encode()
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(f"{origin}/admin/api/login", body, headers)
print(json.load(urllib.request.urlopen(request, timeout=10))["token"])
PY
)

# half NAME PATHS BEARER: one half of the document as one caller.
half() {
  local name=$1 paths=$2 bearer=$3
  echo "== the document's half $name"
  # Logging out ends the session that asks, and so does a new password or another role of the superadmin
  # that asks. A failed login makes the next ones wait, which is right and would keep this run waiting too.
  "$schemathesis" --config-file "$here/schemathesis.toml" run "$origin/api/openapi.json" --url "$origin" \
    --include-path-regex "$paths" \
    --exclude-path-regex '/(login|logout|refresh)$|/superadmins/\{id\}' \
    --header "Authorization:Bearer $bearer" --phases "$phases" --max-examples "$examples" \
    --checks all --seed 20261127 --generation-database none --request-timeout 30 --workers 1 \
    --continue-on-failure --no-color --warnings off
}

cd "$work"
failed=0
half /api/v1 '^/api/v1/' "$key" || failed=1
half /admin/api '^/admin/api/' "$token" || failed=1
exit "$failed"
