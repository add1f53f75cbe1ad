/** The gateway's settings, each with its variable, documentation, validator and default. */
import { type AuthConfig, LIMITS } from '@maru/protocol';
import { asRedisAddress } from '@maru/redis-store';
import {
  asInteger,
  asList,
  asNodeName,
  asOneOf,
  asSecret,
  asSwitch,
  asText,
  asUrl,
  ConfigError,
  type ConfigOf,
  DEVELOPMENT_FIELD,
  LOG_LEVELS,
  readConfig,
} from '@maru/service-kit';
import { ARCHIVE_FIELDS } from './archive/archive-settings.ts';
import { AUDIT_FIELDS } from './audit/audit-settings.ts';
import { checkLdap, LDAP_FIELDS } from './directory/ldap-settings.ts';
import { SESSION_ROUTES } from './edge/session-route.ts';
import { IDENTITY_FIELDS } from './identity/identity-settings.ts';
import { checkOidc, OIDC_FIELDS } from './identity/oidc-settings.ts';
import { connectionLimitsOf } from './limits/connection-limits.ts';
import { CONNECTION_FIELDS } from './limits/connection-settings.ts';
import { QUOTA_FIELDS } from './limits/quota-settings.ts';
import { SIGN_IN_FIELDS } from './sign-in/sign-in-settings.ts';

/** A browser's origin, or that of an app with a scheme of its own. */
function isOrigin(origin: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]+$/.test(origin) || !URL.canParse(origin)) return false;
  const { protocol, origin: parsed } = new URL(origin);
  return protocol !== 'http:' && protocol !== 'https:' ? true : parsed === origin;
}

const asOrigins = (raw: string): string[] =>
  asList(raw).map((origin) => {
    if (!isOrigin(origin))
      throw new Error('must be a list of origins like https://chat.example.com or capacitor://localhost');
    return origin;
  });

const asShare = (raw: string): number => {
  const share = Number(raw);
  if (!(share >= 0 && share <= 1)) throw new Error('must be a number from 0 to 1');
  return share;
};

export const FIELDS = {
  node: { env: 'MARU_NODE', doc: 'name of this gateway, unique in the cluster', parse: asNodeName },
  host: { env: 'MARU_HOST', doc: 'address to listen on', parse: asText, fallback: '127.0.0.1' },
  listenPort: { env: 'MARU_LISTEN_PORT', doc: 'port for clients', parse: asInteger(0, 65_535), fallback: 3000 },
  sessionRoute: {
    env: 'MARU_SESSION_ROUTE',
    doc: 'what session ids begin with, so that nginx can route them: name (of the gateway), or address (a hash of it)',
    parse: asOneOf(...SESSION_ROUTES),
    fallback: 'name' as const,
  },
  opsPort: { env: 'MARU_OPS_PORT', doc: 'port for health and metrics', parse: asInteger(0, 65_535), fallback: 3001 },
  redisUrl: {
    env: 'MARU_REDIS_URL',
    doc: 'Redis 7 or Valkey 8: redis://…, rediss://…, redis+sentinel://… or redis+cluster://…',
    parse: asRedisAddress,
    secret: true,
  },
  waitReplicas: {
    env: 'MARU_REDIS_WAIT_REPLICAS',
    doc: 'replicas that must have a message before it is acknowledged',
    parse: asInteger(0, 10),
    fallback: 0,
  },
  presenceUrl: { env: 'MARU_PRESENCE_URL', doc: 'presence service', parse: asUrl('http', 'https') },
  internalSecret: {
    env: 'MARU_INTERNAL_SECRET',
    doc: 'shared with the presence service',
    parse: asSecret,
    secret: true,
  },
  ...IDENTITY_FIELDS,
  ...OIDC_FIELDS,
  ...LDAP_FIELDS,
  ...SIGN_IN_FIELDS,
  development: DEVELOPMENT_FIELD,
  guests: { env: 'MARU_GUESTS', doc: 'whether guests may sign in: on or off', parse: asSwitch, fallback: false },
  guestSecret: {
    env: 'MARU_GUEST_SECRET',
    doc: 'signs guest tokens; the same on every gateway',
    parse: asSecret,
    fallback: undefined,
    secret: true,
  },
  allowedOrigins: {
    env: 'MARU_ALLOWED_ORIGINS',
    doc: 'origins of other web pages and of apps that may connect, comma-separated',
    parse: asOrigins,
    fallback: [] as string[],
  },
  trustedProxies: {
    env: 'MARU_TRUSTED_PROXIES',
    doc: 'addresses or networks of the proxies whose X-Forwarded-For is trusted, comma-separated',
    parse: asList,
    fallback: [] as string[],
  },
  logLevel: {
    env: 'MARU_LOG_LEVEL',
    doc: 'fatal, error, warn, info, debug, trace or silent',
    parse: asOneOf(...LOG_LEVELS),
    fallback: 'info' as const,
  },
  otlpEndpoint: {
    env: 'MARU_OTLP_ENDPOINT',
    doc: 'OTLP/HTTP receiver of message traces, such as http://collector:4318; none: no traces',
    parse: asUrl('http', 'https'),
    fallback: undefined,
  },
  traceRatio: {
    env: 'MARU_TRACE_RATIO',
    doc: 'fraction of messages that are traced, 0 to 1, the same on every gateway',
    parse: asShare,
    fallback: 1,
  },
  storeDeadlineMs: {
    env: 'MARU_STORE_DEADLINE_MS',
    doc: 'a store call that takes longer fails',
    parse: asInteger(50, 900),
    fallback: 800,
  },
  unreadyAfterMs: {
    env: 'MARU_UNREADY_AFTER_MS',
    doc: 'a gateway that has been degraded, or could not read orders, for this long reports not ready (/readyz) until it recovers',
    parse: asInteger(1_000, 3_600_000),
    fallback: 120_000,
  },
  ...QUOTA_FIELDS,
  ...CONNECTION_FIELDS,
  addressCallsPerSecond: {
    env: 'MARU_ADDRESS_CALLS_PER_SECOND',
    doc: 'sign-ins of one address per second; wide, because offices share an address',
    parse: asInteger(1, 1_000_000),
    fallback: 500,
  },
  addressCallsBurst: {
    env: 'MARU_ADDRESS_CALLS_BURST',
    doc: 'burst of sign-ins of one address',
    parse: asInteger(1, 1_000_000),
    fallback: 1_000,
  },
  retentionEntriesMin: {
    env: 'MARU_RETENTION_ENTRIES_MIN',
    doc: 'newest entries of a room that are always kept',
    parse: asInteger(1, 10_000_000),
    fallback: LIMITS.retentionEntriesMin as number,
  },
  retentionEntriesMax: {
    env: 'MARU_RETENTION_ENTRIES_MAX',
    doc: 'maximum entries of a room',
    parse: asInteger(1, 10_000_000),
    fallback: LIMITS.retentionEntriesMax as number,
  },
  retentionAgeMs: {
    env: 'MARU_RETENTION_AGE_MS',
    doc: 'entries older than this are removed, except the minimum',
    parse: asInteger(1_000, 10 * 365 * 86_400_000),
    fallback: LIMITS.retentionAgeMs as number,
  },
  emptyRoomTtlMs: {
    env: 'MARU_EMPTY_ROOM_TTL_MS',
    doc: 'a room without messages and members is removed after this time',
    parse: asInteger(1_000, 365 * 86_400_000),
    fallback: 86_400_000,
  },
  roomLingerMs: {
    env: 'MARU_ROOM_LINGER_MS',
    doc: 'time that a room stays subscribed after its last member left',
    parse: asInteger(0, 600_000),
    fallback: 5_000,
  },
  auditPeriodMs: {
    env: 'MARU_AUDIT_PERIOD_MS',
    doc: 'how often each open room is compared with the log',
    parse: asInteger(1_000, 3_600_000),
    fallback: 10_000,
  },
  ...AUDIT_FIELDS,
  ...ARCHIVE_FIELDS,
  pingIntervalMs: {
    env: 'MARU_PING_INTERVAL_MS',
    doc: 'an idle client is pinged after this time; with the timeout at most 55 s, below the 60 s of nginx',
    parse: asInteger(1_000, 54_000),
    fallback: 25_000,
  },
  pingTimeoutMs: {
    env: 'MARU_PING_TIMEOUT_MS',
    doc: 'a client that answers no ping in this time is disconnected',
    parse: asInteger(1_000, 54_000),
    fallback: 20_000,
  },
  fastPath: {
    env: 'MARU_FAST_PATH',
    doc: "whether our own WebSocket transport and shared pings replace Engine.IO's: on or off",
    parse: asSwitch,
    fallback: true,
  },
  rebalance: {
    env: 'MARU_REBALANCE',
    doc: 'whether a node with many more connections than the mean advises clients to move: on or off',
    parse: asSwitch,
    fallback: true,
  },
  rebalanceRoundMs: {
    env: 'MARU_REBALANCE_ROUND_MS',
    doc: 'period in which nodes compare their numbers of connections',
    parse: asInteger(100, 600_000),
    fallback: 5_000,
  },
  drainWaitMs: {
    env: 'MARU_DRAIN_WAIT_MS',
    doc: 'time between unready and the first notice, for the balancer to react',
    parse: asInteger(0, 120_000),
    fallback: 2_000,
  },
  drainPerSecond: {
    env: 'MARU_DRAIN_PER_SECOND',
    doc: 'connections handed over per second',
    parse: asInteger(1, 100_000),
    fallback: 200,
  },
  drainSpreadMaxMs: {
    env: 'MARU_DRAIN_SPREAD_MAX_MS',
    doc: 'maximum duration of the hand-over',
    parse: asInteger(0, 600_000),
    fallback: 20_000,
  },
} as const;

export type GatewayConfig = ConfigOf<typeof FIELDS>;

/** nginx closes a connection after 60 s of silence (deploy/nginx.conf). */
const PING_SUM_MAX_MS = 55_000;

export function readGatewayConfig(environment: Record<string, string | undefined>): GatewayConfig {
  const config = readConfig(FIELDS, environment);
  if (config.guests && config.guestSecret === undefined)
    throw new ConfigError('Configuration: MARU_GUESTS=on needs MARU_GUEST_SECRET');
  const { jwtSecret, jwksUrl, oidcIssuer } = config;
  if (!config.guests && jwtSecret === undefined && jwksUrl === undefined && oidcIssuer === undefined) {
    throw new ConfigError(
      'Configuration: no way to sign in: set MARU_JWT_SECRET, MARU_JWKS_URL, MARU_OIDC_ISSUER or MARU_GUESTS=on',
    );
  }
  checkLdap(config, config.jwtSecret);
  checkOidc(config);
  if (config.retentionEntriesMax < config.retentionEntriesMin) {
    throw new ConfigError('Configuration: MARU_RETENTION_ENTRIES_MAX must not be below MARU_RETENTION_ENTRIES_MIN');
  }
  if (config.pingIntervalMs + config.pingTimeoutMs > PING_SUM_MAX_MS) {
    throw new ConfigError(
      `Configuration: MARU_PING_INTERVAL_MS and MARU_PING_TIMEOUT_MS must be at most ${PING_SUM_MAX_MS} together`,
    );
  }
  return config;
}

/** The enabled ways to sign in. */
export const authConfigOf = ({ guests, ldapUrls, ...config }: GatewayConfig): AuthConfig => ({
  guests,
  ldap: ldapUrls.length > 0,
  oidc: providerOf(config),
});

function providerOf({ oidcIssuer: issuer, oidcClientId: clientId, ...config }: Partial<GatewayConfig>) {
  if (issuer === undefined || clientId === undefined) return null;
  const { oidcName: name = new URL(issuer).host, oidcScope: scope = '', oidcToken: token = 'access' } = config;
  return { issuer, clientId, name, scope, token };
}

/** The enabled features of this cluster, for `session.features`. */
export const featuresOf = ({ guests, postgresUrl }: GatewayConfig): string[] => [
  ...(guests ? ['guests'] : []),
  ...(postgresUrl === undefined ? [] : ['archive']),
];

/** `session.limits`: the contract's limits with this cluster's settings. */
export function limitsOf(config: GatewayConfig): Record<string, number> {
  const { bytes, requestsMax } = connectionLimitsOf(config);
  const settings = Object.entries(config).filter(([name]) => Object.hasOwn(LIMITS, name));
  return {
    ...LIMITS,
    ...(Object.fromEntries(settings) as Record<string, number>),
    connectionBytesPerSecond: bytes.perSecond,
    connectionBytesBurst: bytes.burst,
    connectionRequestsMax: requestsMax,
  };
}
