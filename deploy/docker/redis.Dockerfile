# Redis for one machine, with deploy/redis/redis.conf:
# docker build -f deploy/docker/redis.Dockerfile -t maru/redis .
# Use 8.2.2 or newer, because older versions have security problems. valkey/valkey:8 works too. To pin
# the base image: --build-arg REDIS_IMAGE=redis:8@sha256:…
ARG REDIS_IMAGE=redis:8
FROM ${REDIS_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maru redis" \
  org.opencontainers.image.description="A chat cluster that scales out behind one address: its Redis" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Older versions have vulnerabilities (tools/check-dependencies.mjs). Valkey has other version
# numbers.
RUN redis-server --version | awk -F'[ .=]' '/^Redis/ && !($4 * 1000000 + $5 * 1000 + $6 >= 8002002 || ($4 == 7 && $5 == 4 && $6 >= 6) || ($4 == 7 && $5 == 2 && $6 >= 11)) { print "Redis 8.2.2 or newer is needed"; exit 1 }'
# A new volume takes the owner of this directory.
RUN mkdir -p /data && chown 999:999 /data
COPY deploy/redis/redis.conf /etc/maru/redis.conf
USER 999:999
WORKDIR /data
VOLUME /data
EXPOSE 6379
# The account `health` may only run this command. It fails while Redis loads its data.
HEALTHCHECK --interval=2s --timeout=10s --start-period=60s --retries=5 \
  CMD ["redis-cli", "-e", "--no-auth-warning", "--user", "health", "--pass", "none", "ping"]
ENTRYPOINT ["redis-server", "/etc/maru/redis.conf"]
CMD []
