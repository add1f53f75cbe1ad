/** Fills the template deploy/nginx.conf. Pure. */

export interface BalancedNode {
  name: string;
  port: number;
  /** `all`: also new sessions. `own`: only its existing sessions, while it drains. */
  takes: 'all' | 'own';
}

export interface NginxSettings {
  /** '' for all interfaces. */
  host: string;
  port: number;
  ipv6: boolean;
  controlPort: number;
  runDirectory: string;
  webRoot: string;
  workers: number;
  filesMax: number;
  /** The user of the workers, if the master runs as root. */
  rootUser: string | null;
  /** Networks of the proxies in front, whose X-Forwarded-For says who the client is. */
  trustedProxies: readonly string[];
  /** Origins of an OpenID provider that the page may call. */
  connectOrigins: readonly string[];
}

const CONNECTIONS_MAX = 32_768;
/** Descriptors of a worker that are not connections: logs, listeners, static files. */
const OTHER_FILES = 64;
/**
 * nginx never marks a node as failed. It would remove the mark only after a successful request, and
 * a WebSocket request ends when its client leaves: after a crash, a node got one client every few
 * seconds. A refused connection costs nothing, because nginx tries the next node at once.
 */
const FAILURES = 'max_fails=0';

const SHUTDOWN_NEVER = `# There is no worker_shutdown_timeout: after a reload the old workers stay until their last WebSocket has ended, because a timeout would
# cut all of them in the same moment. The price is the memory of the old workers for as long.`;

const indent = (spaces: number, lines: string[]): string =>
  lines.map((line) => `${' '.repeat(spaces)}${line}`).join('\n');

/** Whether nginx would misread the path. */
export const isAwkwardPath = (path: string): boolean => /["$\\{}\n\r]/.test(path);

function listenLines(settings: NginxSettings): string[] {
  const { host, port, ipv6 } = settings;
  if (host !== '') return [`listen ${host.includes(':') ? `[${host}]` : host}:${port};`];
  return ipv6 ? [`listen ${port};`, `listen [::]:${port};`] : [`listen ${port};`];
}

/** In the format of deploy/docker/edge/start.sh. */
const realIpLines = (proxies: readonly string[]): string[] =>
  proxies.length === 0
    ? []
    : [
        ...proxies.map((network) => `set_real_ip_from ${network};`),
        'real_ip_header X-Forwarded-For;',
        'real_ip_recursive on;',
      ];

export function renderNginxConfig(
  template: string,
  options: { settings: NginxSettings; nodes: readonly BalancedNode[]; generation: number },
): string {
  const { settings, nodes } = options;
  const open = nodes.filter((node) => node.takes === 'all');
  const connections = Math.min(CONNECTIONS_MAX, settings.filesMax - OTHER_FILES);
  const values: Record<string, string> = {
    USER:
      settings.rootUser === null
        ? '# nginx was not started by root, so the workers run as the same user.'
        : `# nginx was started by root. The default user (nobody) has no access to the data directory.\nuser ${settings.rootUser};`,
    WORKERS: String(settings.workers),
    LOG_LEVEL: 'warn',
    SHUTDOWN: SHUTDOWN_NEVER,
    FILES_MAX: String(settings.filesMax),
    RUN_DIR: settings.runDirectory,
    CONNECTIONS_PER_WORKER: String(connections),
    CLIENTS_PER_WORKER: String(Math.floor(connections / 2)),
    LISTEN: indent(4, listenLines(settings)),
    WEB_ROOT: settings.webRoot,
    CONNECT_SRC: settings.connectOrigins.map((origin) => ` ${origin}`).join(''),
    CONTROL_LISTEN: `127.0.0.1:${settings.controlPort}`,
    GENERATION: String(options.generation),
    NODE_MAP: indent(
      4,
      nodes.map((node) => `"~^${node.name}\\." node_${node.name};`),
    ),
    GATEWAY_SERVERS: indent(
      4,
      // An upstream needs a server. With a server that is `down`, nginx answers 502 immediately.
      open.length === 0
        ? ['server 127.0.0.1:1 down;']
        : open.map((node) => `server 127.0.0.1:${node.port} ${FAILURES};`),
    ),
    NODE_UPSTREAMS: indent(
      2,
      realIpLines(settings.trustedProxies).concat(
        nodes.flatMap((node) => [
          `upstream node_${node.name} {`,
          `  server 127.0.0.1:${node.port};`,
          '  keepalive 64;',
          '  keepalive_timeout 4s;',
          '}',
        ]),
      ),
    ),
  };
  return template.replace(/\{\{([A-Z_]+)\}\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`deploy/nginx.conf has an unknown placeholder ${placeholder}`);
    return value;
  });
}
