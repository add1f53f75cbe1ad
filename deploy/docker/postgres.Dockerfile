# PostgreSQL for one machine, with deploy/postgres/postgresql.conf:
# docker build -f deploy/docker/postgres.Dockerfile -t maru/postgres .
# To pin the base image: --build-arg POSTGRES_IMAGE=postgres:17@sha256:…
# Another major version cannot read the volume of an older one (docs/archive.md).
ARG POSTGRES_IMAGE=postgres:17
FROM ${POSTGRES_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maru postgres" \
  org.opencontainers.image.description="A chat cluster that scales out behind one address: its PostgreSQL" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# A new volume takes the owner of this directory.
RUN mkdir -p /data && chown 999:999 /data
COPY deploy/postgres/postgresql.conf deploy/postgres/pg_hba.conf deploy/postgres/database.sql \
  deploy/docker/postgres/start.sh /etc/maru/
USER 999:999
WORKDIR /data
VOLUME /data
EXPOSE 5432
# Needs no account. Fails while PostgreSQL replays its log.
HEALTHCHECK --interval=2s --timeout=10s --start-period=60s --retries=5 \
  CMD ["pg_isready", "--quiet", "--host=127.0.0.1", "--port=5432"]
# A fast stop: it does not wait until clients leave.
STOPSIGNAL SIGINT
ENTRYPOINT ["/etc/maru/start.sh"]
CMD []
