/** What our Redis (7.0 and newer, or Valkey) is told: its settings and its accounts. */
import { createHash } from 'node:crypto';

/** Redis reads quoted words with C escapes. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

const hashOf = (password: string): string => `#${createHash('sha256').update(password).digest('hex')}`;

export function renderRedisConfig(options: {
  port: number;
  directory: string;
  aclPath: string;
  /** As Redis writes it: `512mb`. */
  maxMemory: string;
}): string {
  return `# Written by the supervisor at every start; changes here are lost.
# Only this machine, and no socket in the file system.
bind 127.0.0.1
port ${options.port}
protected-mode yes
# The supervisor is the parent, and takes the log from stdout.
daemonize no
logfile ""
dir ${quoted(options.directory)}
# Accounts: the default one is off.
aclfile ${quoted(options.aclPath)}
# An acknowledged message survives the loss of power: it is on the disk before the answer.
appendonly yes
appendfsync always
# A snapshot besides would cost a fork and add nothing to the append-only file.
save ""
# Full memory refuses writes with an error, which clients are told; nothing that was acknowledged is evicted.
maxmemory ${options.maxMemory}
maxmemory-policy noeviction
# Subscribers that fall behind are cut and heal from the log; between 8 and 32 MiB a hot room needs some air (defaults 32mb 8mb 60).
client-output-buffer-limit pubsub 64mb 16mb 60
`;
}

/**
 * Three accounts. `default` is off. `admin` may do everything and is for people and tests. `maru` is the application's: only its own keys and
 * channels, and only the commands that work on data; FLUSHALL, CONFIG, DEBUG, KEYS, SHUTDOWN and the like are denied.
 */
export function renderRedisAcl(options: { adminPassword: string; maruPassword: string }): string {
  const application = [
    'user maru on',
    hashOf(options.maruPassword),
    'resetkeys ~maru:* resetchannels &maru:* &socket.io#*',
    '-@all +@read +@write +@connection +@transaction +@pubsub',
    '-@admin -@dangerous -@scripting',
    // Of scripting only what running scripts takes: no functions, which would stay in the store, and no flush.
    '+eval +evalsha +eval_ro +evalsha_ro +script|load +script|exists',
    // INFO counts as dangerous; the client library asks for it to learn whether the store is loading.
    '+info +time +wait',
    // Of a Cluster's commands only the two that tell who holds which slot.
    '+cluster|info +cluster|slots',
  ].join(' ');
  return [
    // Nobody can log in to it, but it keeps its rights: Redis replays its own append-only file in this name, and skips what `default` may
    // not do, which would lose every transaction and script at a restart (tried, 7.0).
    'user default off resetpass ~* &* +@all',
    `user admin on ${hashOf(options.adminPassword)} ~* &* +@all`,
    application,
    '',
  ].join('\n');
}

/** The first reason against the server's version, from what `--version` prints, or null. */
export function whyNotThisRedis(versionText: string): string | null {
  const match = /(Redis|Valkey) server v=(\d+)\.(\d+)/i.exec(versionText);
  if (match === null) return null;
  if (Number(match[2]) >= 7) return null;
  return `${match[1]} ${match[2]}.${match[3]} is too old: sharded pub/sub needs Redis 7.0, or Valkey`;
}
