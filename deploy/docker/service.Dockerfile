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

# What the one service runs on. Without the optional packages: Node.js comes from the stage `system`. Types and maps are not loaded.
FROM ${NODE_IMAGE} AS dependencies
ARG SERVICE
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace "services/${SERVICE:?say which: --build-arg SERVICE=gateway}" \
  && find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' ')' -delete \
  && find . -mindepth 1 -maxdepth 1 -not -name node_modules -not -name package.json -not -name services -exec rm -r '{}' + \
  && find services -mindepth 1 -maxdepth 1 -not -name "$SERVICE" -exec rm -r '{}' +

# All of a system that the process needs: the Node.js that the lock pins, the libraries that it names, and what says which those are (scanners
# read it) and whose. No shell, no package manager.
FROM build AS system
RUN set -eu; package="$(echo /app/node_modules/node-linux-*)"; program="$package/bin/node"; \
  mkdir -p /system/usr/local/bin /system/usr/share/doc/node /system/etc /system/var/lib/dpkg; \
  cp "$program" /system/usr/local/bin/; cp "$package/LICENSE" /system/usr/share/doc/node/copyright; \
  ldd "$program" | grep -o '/[^ ]*' | xargs cp --parents --dereference --target-directory /system; \
  cp --parents --dereference --target-directory /system /etc/os-release \
    /usr/share/doc/libc6/copyright /usr/share/doc/libgcc-s1/copyright /usr/share/doc/libstdc++6/copyright; \
  dpkg-query --status libc6 libgcc-s1 libstdc++6 > /system/var/lib/dpkg/status; \
  echo 'maru:x:1000:1000::/:/nonexistent' > /system/etc/passwd
# A volume that is mounted here for the first time takes the owner of the directory.
RUN mkdir -p /secrets/run/maru/services /secrets/run/maru/redis && chown -R 1000:1000 /secrets/run/maru

FROM scratch AS runtime
COPY --from=system /system /
ENV NODE_ENV=production PATH=/usr/local/bin
WORKDIR /app
# By number, so that an orchestrator can see that it is not root. The files are root's: the process cannot change its own program.
USER 1000:1000

# For compose: makes a cluster's secrets (deploy/docker/make-secrets.ts).
FROM runtime AS secrets
COPY --from=system /secrets /
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
# No shell between: Node.js is process 1 and hears SIGTERM itself. The flags are those of packages/service-kit/src/node-flags.ts.
ENTRYPOINT ["node", "--max-semi-space-size=8", "src/main.js"]
