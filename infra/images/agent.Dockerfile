# The agent. Build from the repository root: docker build -f infra/images/agent.Dockerfile -t warren-agent .
# Run it with --cap-add NET_ADMIN --device /dev/net/tun, and a volume for its state.
FROM node:20-bookworm-slim AS build
WORKDIR /opt/warren
COPY . .
RUN npm run build
# Build tools stay behind: what the agent needs to run is installed anew beside what was built.
RUN find . -name node_modules -type d -prune -exec rm -rf {} + \
  && version="$(node -p "require('./package.json').packageManager")" \
  && CI=1 npx --yes "$version" install --prod --frozen-lockfile --filter '@warren/agent...'

FROM node:20-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends iproute2 nftables iputils-ping \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    WARREN_STATE_DIR=/var/lib/warren
COPY --from=build /opt/warren /opt/warren
RUN ln -s /opt/warren/apps/agent/bin/agent.mjs /usr/local/bin/agent \
  && install -d -m 0700 /var/lib/warren
VOLUME /var/lib/warren
EXPOSE 51820/udp
STOPSIGNAL SIGTERM
ENTRYPOINT ["agent"]
CMD ["up", "--foreground"]
