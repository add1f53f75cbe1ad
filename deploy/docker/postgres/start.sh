#!/bin/sh
# Makes the data directory at the first start, sets the passwords of the accounts, and becomes
# PostgreSQL. Arguments are added to its command line: -c max_connections=400
#   MARU_POSTGRES_ACCOUNTS   the file of the accounts (deploy/postgres/accounts.sql, filled in)
set -eu
data=/data/postgres
accounts=${MARU_POSTGRES_ACCOUNTS:-/run/maru/postgres/accounts.sql}

# Single-user mode asks for no password. It continues after an error, and exits with 0.
run_sql() {
  output=$(postgres --single -j -D "$1" -c log_min_error_statement=panic template1 2>&1) || { echo "$output" >&2; exit 1; }
  if echo "$output" | grep -E '(ERROR|FATAL|PANIC): ' >&2; then exit 1; fi
}

if [ ! -f "$data/PG_VERSION" ]; then
  # Complete it before it gets its name, so that an interrupted start leaves no partial directory.
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username=admin --encoding=UTF8 --locale=C --data-checksums --auth=reject > /dev/null
  cat "$accounts" /etc/maru/database.sql | run_sql "$data.new"
  mv "$data.new" "$data"
else
  run_sql "$data" < "$accounts"
fi
exec postgres -D "$data" -c config_file=/etc/maru/postgresql.conf "$@"
