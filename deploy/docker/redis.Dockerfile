# The store for one machine: Redis with the settings that the cluster's promises need. docker build -f deploy/docker/redis.Dockerfile -t maru/redis .
# Take 8.2.2 or newer (older ones have holes); valkey/valkey:8 works as well. To pin: --build-arg REDIS_IMAGE=redis:8@sha256:…
ARG REDIS_IMAGE=redis:8
FROM ${REDIS_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maru redis" \
  org.opencontainers.image.description="A chat cluster that scales out behind one address: its store" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# A volume that is mounted here for the first time takes the owner of the directory.
RUN mkdir -p /data && chown 999:999 /data
COPY deploy/docker/redis/redis.conf /etc/maru/redis.conf
USER 999:999
WORKDIR /data
VOLUME /data
EXPOSE 6379
# The account `health` may do nothing else. While the log is being read the answer is an error.
HEALTHCHECK --interval=2s --timeout=10s --start-period=60s --retries=5 \
  CMD ["redis-cli", "-e", "--no-auth-warning", "--user", "health", "--pass", "none", "ping"]
ENTRYPOINT ["redis-server", "/etc/maru/redis.conf"]
CMD []
