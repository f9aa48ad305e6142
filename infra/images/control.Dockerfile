# The control plane. Build from the repository root: docker build -f infra/images/control.Dockerfile -t warren-control .
FROM node:20-bookworm-slim AS build
WORKDIR /opt/warren
COPY . .
RUN npm run build
# Build tools stay behind: what the control plane needs to run is installed anew beside what was built.
RUN find . -name node_modules -type d -prune -exec rm -rf {} + \
  && version="$(node -p "require('./package.json').packageManager")" \
  && CI=1 npx --yes "$version" install --prod --frozen-lockfile --filter '@warren/control...' \
  && node infra/link-postgres.mjs

FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    WARREN_DATA_DIR=/var/lib/warren-control \
    WARREN_HTTP=0.0.0.0:8080 \
    WARREN_AGENTS=0.0.0.0:8443 \
    WARREN_STUN=0.0.0.0:3478
COPY --from=build /opt/warren /opt/warren
RUN ln -s /opt/warren/apps/control/bin/warren.mjs /usr/local/bin/warren \
  && install -d -o node -g node -m 0700 /var/lib/warren-control
USER node
VOLUME /var/lib/warren-control
EXPOSE 8080 8443 3478/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["warren"]
CMD ["serve"]
