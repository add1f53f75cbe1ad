# A service of the cluster: docker build -f deploy/docker/service.Dockerfile --build-arg SERVICE=gateway -t maru/gateway .
# Builds with BuildKit and without. To pin the base to one digest: --build-arg NODE_IMAGE=node:24-slim@sha256:…
ARG NODE_IMAGE=node:24-slim

# The manifests of all workspaces, without a list to keep: what follows is built anew only when one of them or the lock has changed.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests && find . -name package.json -not -path '*/node_modules/*' -exec cp --parents '{}' /manifests ';' \
  && cp package-lock.json .npmrc /manifests

# Everything of the lock, for building; the same in edge.Dockerfile, so that the two share it.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY tools ./tools
COPY deploy/docker ./deploy/docker
COPY packages ./packages
COPY services ./services
RUN node tools/build-services.mjs /out

# What the one service runs on. Without the optional packages: the Node.js that npm would install is already here. Types and maps are not loaded.
FROM ${NODE_IMAGE} AS dependencies
ARG SERVICE
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace "services/${SERVICE:?say which: --build-arg SERVICE=gateway}" \
  && find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' ')' -delete \
  && find . -mindepth 1 -maxdepth 1 -not -name node_modules -not -name package.json -not -name services -exec rm -r '{}' + \
  && find services -mindepth 1 -maxdepth 1 -not -name "$SERVICE" -exec rm -r '{}' +

FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production
WORKDIR /app
# By number, so that an orchestrator can see that it is not root. The files are root's: the process cannot change its own program.
USER 1000:1000

# For compose: makes a cluster's secrets (deploy/docker/make-secrets.ts).
FROM runtime AS secrets
USER 0:0
# A volume that is mounted here for the first time takes the owner of the directory.
RUN mkdir -p /run/maru/services /run/maru/redis && chown -R 1000:1000 /run/maru
USER 1000:1000
COPY --from=build /app/package.json ./
COPY --from=build /out/deploy ./deploy
COPY --from=build /out/tools ./tools
ENTRYPOINT ["node", "deploy/docker/make-secrets.js"]

FROM runtime AS service
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maru ${SERVICE}" \
  org.opencontainers.image.description="A chat cluster that scales out behind one address" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=dependencies /app ./
COPY --from=build /out/packages ./packages
COPY --from=build /out/services/${SERVICE} ./services/${SERVICE}
COPY deploy/docker/health.mjs ./
# All interfaces of the container: who may come is decided by the network that it is put into.
ENV MARU_HOST=0.0.0.0 MARU_LISTEN_PORT=3000 MARU_OPS_PORT=3001
EXPOSE 3000 3001
# The process answers; whether it is ready is asked of /readyz by who sends it people.
HEALTHCHECK --interval=10s --timeout=10s --start-period=15s --retries=3 CMD ["node", "/app/health.mjs"]
WORKDIR /app/services/${SERVICE}
# No shell between: Node.js is process 1 and hears SIGTERM itself.
ENTRYPOINT ["node", "src/main.js"]
