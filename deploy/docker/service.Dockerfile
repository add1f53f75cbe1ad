# The image of a service: docker build -f deploy/docker/service.Dockerfile --build-arg
# SERVICE=gateway -t maru/gateway .
# Builds with BuildKit and without it. To pin the base image: --build-arg
# NODE_IMAGE=node:24-slim@sha256:…
ARG NODE_IMAGE=node:24-slim

# The package.json of all workspaces, found without a list. The stages below are built again only if
# one of them, or the lock, changes.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests && find . -name package.json -not -path '*/node_modules/*' -exec cp --parents '{}' /manifests ';' \
  && cp package-lock.json .npmrc /manifests

# All packages of the lock, for the build. edge.Dockerfile has the same stages, so the images share
# them.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY tools ./tools
COPY deploy/docker ./deploy/docker
COPY deploy/postgres ./deploy/postgres
COPY deploy/redis ./deploy/redis
COPY packages ./packages
COPY services ./services
RUN node tools/build-services.mjs /out

# The production packages of one service. Without optional packages: Node.js comes from the stage
# `system`. Type declarations and source maps are deleted, because nothing loads them.
FROM ${NODE_IMAGE} AS dependencies
ARG SERVICE
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace "services/${SERVICE:?say which: --build-arg SERVICE=gateway}" \
  && find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' ')' -delete \
  && find . -mindepth 1 -maxdepth 1 -not -name node_modules -not -name package.json -not -name services -exec rm -r '{}' + \
  && find services -mindepth 1 -maxdepth 1 -not -name "$SERVICE" -exec rm -r '{}' +

# The only parts of a system that the process needs: the Node.js of the lock, its libraries, and the
# records of which ones they are (for scanners) with their licences. No shell and no package
# manager.
FROM build AS system
RUN set -eu; package="$(echo /app/node_modules/node-linux-*)"; program="$package/bin/node"; \
  mkdir -p /system/usr/local/bin /system/usr/share/doc/node /system/etc /system/var/lib/dpkg; \
  cp "$program" /system/usr/local/bin/; cp "$package/LICENSE" /system/usr/share/doc/node/copyright; \
  ldd "$program" | grep -o '/[^ ]*' | xargs cp --parents --dereference --target-directory /system; \
  cp --parents --dereference --target-directory /system /etc/os-release \
    /usr/share/doc/libc6/copyright /usr/share/doc/libgcc-s1/copyright /usr/share/doc/libstdc++6/copyright; \
  dpkg-query --status libc6 libgcc-s1 libstdc++6 > /system/var/lib/dpkg/status; \
  echo 'maru:x:1000:1000::/:/nonexistent' > /system/etc/passwd
# A new volume takes the owner of this directory.
RUN mkdir -p /secrets/run/maru/services /secrets/run/maru/redis /secrets/run/maru/postgres && chown -R 1000:1000 /secrets/run/maru

FROM scratch AS runtime
COPY --from=system /system /
ENV NODE_ENV=production PATH=/usr/local/bin
WORKDIR /app
# A number, so that an orchestrator can verify that it is not root. Root owns the files: the process
# cannot change its own program.
USER 1000:1000

# For compose: creates the secrets of a cluster (deploy/docker/make-secrets.ts).
FROM runtime AS secrets
COPY --from=system /secrets /
COPY --from=build /app/package.json ./
COPY --from=build /out/deploy ./deploy
COPY deploy/redis/users.acl ./deploy/redis/
COPY deploy/postgres/*.sql ./deploy/postgres/
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
# All interfaces of the container. The network of the container decides who can connect.
ENV MARU_HOST=0.0.0.0 MARU_LISTEN_PORT=3000 MARU_OPS_PORT=3001
EXPOSE 3000 3001
# Checks that the process answers. Load balancers ask /readyz whether it is ready.
HEALTHCHECK --interval=10s --timeout=10s --start-period=15s --retries=3 CMD ["node", "/app/health.mjs"]
WORKDIR /app/services/${SERVICE}
# Without a shell, Node.js is process 1 and receives SIGTERM. The flags come from
# packages/service-kit/src/node-flags.ts.
ENTRYPOINT ["node", "--max-semi-space-size=8", "src/main.js"]
