# The image of the edge, with the web client: docker build -f deploy/docker/edge.Dockerfile -t
# maru/edge .
# Builds with BuildKit and without it. To pin the base images: --build-arg
# NGINX_IMAGE=nginx:1.30@sha256:… --build-arg NODE_IMAGE=…
ARG NODE_IMAGE=node:24-slim
ARG NGINX_IMAGE=nginx:1.30

# The same stages as in service.Dockerfile, so the images share them.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests && find . -name package.json -not -path '*/node_modules/*' -exec cp --parents '{}' /manifests ';' \
  && cp package-lock.json .npmrc /manifests

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY packages ./packages
COPY apps ./apps
RUN npm exec --workspace apps/web -- vite build

FROM ${NGINX_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maru edge" \
  org.opencontainers.image.description="A chat cluster that scales out behind one address: its nginx, with the web client" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Older versions have vulnerabilities, or no `sticky`.
RUN nginx -v 2>&1 | awk -F'[/. ]' '{ v = $(NF-2) * 1000000 + $(NF-1) * 1000 + $NF } END { if (v < 1030004) { print "nginx 1.30.4 or newer is needed"; exit 1 } }'
COPY --from=build /app/apps/web/dist /srv/web
COPY deploy/nginx.conf /etc/maru/nginx.conf.template
COPY deploy/docker/edge/containers.conf deploy/docker/edge/start.sh /etc/maru/
# A number, so that an orchestrator can verify that it is not root.
USER 101:101
EXPOSE 8080 8081
HEALTHCHECK --interval=5s --timeout=10s --start-period=5s --retries=3 \
  CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:8081/healthz"]
# On SIGQUIT the script hands the clients over and nginx finishes its requests.
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/etc/maru/start.sh"]
CMD []
