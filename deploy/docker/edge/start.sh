#!/bin/sh
# Fills deploy/nginx.conf from the environment, for containers, and runs nginx. On SIGQUIT or
# SIGTERM it asks the gateways to hand over its clients, while nginx finishes. It needs a writable
# /tmp.
#
#   MARU_EDGE_GATEWAYS         host:port; its addresses are gateways for new sessions     gateway:3000
#   MARU_EDGE_SESSIONS         host:port; its addresses also include draining gateways    the same
#   MARU_EDGE_RESOLVER         name servers, separated by spaces                          those of /etc/resolv.conf
#   MARU_EDGE_IPV6             `on` if gateways have IPv6 addresses                       off
#   MARU_EDGE_PORT             the public port                                            8080
#   MARU_EDGE_OPS_PORT         the port of /healthz                                       8081
#   MARU_EDGE_TRUSTED_PROXIES  networks whose X-Forwarded-For is trusted, comma-separated none
#   MARU_EDGE_CONNECT_ORIGINS  origins that the page may call, comma-separated: those of     none
#                              the OpenID provider
#   MARU_EDGE_WORKERS          number of nginx workers                                    2
#   MARU_EDGE_RUN_DIR          where nginx and this script write                          /tmp/nginx
#   MARU_EDGE_LOG_LEVEL        from `error` on, lines contain session ids                 crit
set -eu

HERE=${MARU_EDGE_DIR:-/etc/maru}
RUN_DIR=${MARU_EDGE_RUN_DIR:-/tmp/nginx}
# Descriptors of a worker that are not connections, and the largest useful number of connections.
OTHER_FILES=64
CONNECTIONS_MAX=32768

GATEWAYS=${MARU_EDGE_GATEWAYS:-gateway:3000}
SESSIONS=${MARU_EDGE_SESSIONS:-$GATEWAYS}
IPV6=${MARU_EDGE_IPV6:-off}
RESOLVERS=${MARU_EDGE_RESOLVER:-$(awk '$1 == "nameserver" { printf "%s ", ($2 ~ /:/ ? "[" $2 "]" : $2) }' /etc/resolv.conf)}
FILES=$(ulimit -Hn)
ENOUGH=$((CONNECTIONS_MAX + OTHER_FILES))
if [ "$FILES" = unlimited ] || [ "$FILES" -gt "$ENOUGH" ]; then FILES=$ENOUGH; fi
CONNECTIONS=$((FILES - OTHER_FILES))

PORT=${MARU_EDGE_PORT:-8080}
LISTEN="    listen $PORT;"
if [ "$IPV6" = on ]; then LISTEN="$LISTEN\\n    listen [::]:$PORT;"; fi

REAL_IP=
for network in $(echo "${MARU_EDGE_TRUSTED_PROXIES:-}" | tr ',' ' '); do
  REAL_IP="$REAL_IP  set_real_ip_from $network;\\n"
done
[ -z "$REAL_IP" ] || REAL_IP="$REAL_IP  real_ip_header X-Forwarded-For;\\n  real_ip_recursive on;"

CONNECT_SRC=
for origin in $(echo "${MARU_EDGE_CONNECT_ORIGINS:-}" | tr ',' ' '); do
  case $origin in
    *[!a-z0-9.:/-]* | *://*/*) echo "MARU_EDGE_CONNECT_ORIGINS must be a list of origins, not $origin" >&2 && exit 2 ;;
    http://?* | https://?*) CONNECT_SRC="$CONNECT_SRC $origin" ;;
    *) echo "MARU_EDGE_CONNECT_ORIGINS must be a list of origins, not $origin" >&2 && exit 2 ;;
  esac
done

mkdir -p "$RUN_DIR"
# Three steps: insert the part for containers, fill the placeholders of the template, fill the
# values of both.
sed -e "/{{NODE_UPSTREAMS}}/{
  r $HERE/containers.conf
  d
}" "$HERE/nginx.conf.template" | sed \
  -e "s|{{USER}}|# The container already runs as an unprivileged user.|" \
  -e "s|{{WORKERS}}|${MARU_EDGE_WORKERS:-2}|" \
  -e "s|{{FILES_MAX}}|$FILES|" \
  -e "s|{{RUN_DIR}}|$RUN_DIR|g" \
  -e "s|{{LOG_LEVEL}}|${MARU_EDGE_LOG_LEVEL:-crit}|" \
  -e "s|{{SHUTDOWN}}|# A stopping edge closes the WebSockets that were not handed over in this time.\nworker_shutdown_timeout 30s;|" \
  -e "s|{{CONNECTIONS_PER_WORKER}}|$CONNECTIONS|" \
  -e "s|{{CLIENTS_PER_WORKER}}|$((CONNECTIONS / 2))|" \
  -e 's|{{NODE_MAP}}|    "~^[0-9a-f]{32}\\." sessions;|' \
  -e "s|{{GATEWAY_SERVERS}}|    server $GATEWAYS resolve max_fails=0;|" \
  -e "s|{{LISTEN}}|$LISTEN|" \
  -e "s|{{WEB_ROOT}}|/srv/web|" \
  -e "s|{{CONNECT_SRC}}|$CONNECT_SRC|" \
  -e "s|{{CONTROL_LISTEN}}|${MARU_EDGE_OPS_PORT:-8081}|" \
  -e "s|{{GENERATION}}|1|" \
  -e "s|\${RESOLVERS}|$RESOLVERS|; s|\${IPV6}|$IPV6|; s|\${SESSIONS}|$SESSIONS|" \
  -e "s|\${REAL_IP}|$REAL_IP|" > "$RUN_DIR/nginx.conf"
if grep -n '{{\|\${' "$RUN_DIR/nginx.conf" >&2; then
  echo 'deploy/nginx.conf has a placeholder that deploy/docker/edge/start.sh does not know' >&2
  exit 1
fi

# A gateway advises the clients that it has through this edge when to reconnect, at its own pace. It
# answers when they are gone.
hand_over() {
  for address in $(getent ahosts "${SESSIONS%:*}" | awk '{ print $1 }' | sort -u); do
    case $address in *:*) address="[$address]" ;; esac
    curl --silent --output /dev/null --max-time 30 --request POST "http://$address:${SESSIONS##*:}/edge/leave" &
  done
}
# nginx closes its listeners first, so that no client returns to this edge.
leave() {
  trap '' QUIT TERM
  kill -QUIT "$NGINX" || true
  hand_over
}

nginx -e stderr -c "$RUN_DIR/nginx.conf" &
NGINX=$!
trap leave QUIT TERM
trap 'kill -TERM "$NGINX"' INT
# A signal interrupts `wait`.
STATUS=0
while kill -0 "$NGINX" 2> /dev/null; do
  STATUS=0
  wait "$NGINX" || STATUS=$?
done
exit "$STATUS"
