# Nothing is built from this file. It names the base images for the update bot, which does not read
# the `ARG` lines of the other files. A test compares them: change those lines, too.
FROM node:24-slim AS node
FROM nginx:1.30 AS nginx
FROM redis:8 AS redis
FROM postgres:17 AS postgres
