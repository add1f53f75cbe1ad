/**
 * The servers of a directory, in the order in which they are tried. A server that fails is tried
 * last for some time. Connections of the service account are reused.
 */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { createSemaphore, type Semaphore } from '../log/semaphore.ts';
import { type ConnectionOptions, LdapConnection } from './connection.ts';
import { DirectoryUnavailable } from './directory.ts';

export interface ServiceAccount {
  dn: string;
  password: string;
}

export interface ServersOptions extends Omit<ConnectionOptions, 'url'> {
  urls: string[];
  /** Reads entries and groups. Undefined: each user reads them with its own connection. */
  service: ServiceAccount | undefined;
  /** Maximum concurrent sign-ins and lookups. */
  connectionsMax: number;
  logger: Logger;
  now: () => number;
}

/** A server that failed is tried after the others for this time. */
const ASIDE_MS = 15_000;
/** Directories and firewalls close idle connections. */
const IDLE_MAX_MS = 30_000;
/** Maximum waiting sign-ins. */
const WAITING_MAX = 200;
/** Includes the wait. */
const TOTAL_DEADLINE_MS = 10_000;

export interface Server {
  /** Opens a connection. `run` closes it after the work. */
  open(): Promise<LdapConnection>;
  /** A connection of the service account. Rejects if there is none. */
  asService(): Promise<LdapConnection>;
}

interface Known {
  url: string;
  idle: Array<{ connection: LdapConnection; sinceMs: number }>;
  asideUntilMs: number;
}

export class LdapServers {
  readonly #options: ServersOptions;
  readonly #servers: Known[];
  readonly #turns: Semaphore;
  #running = 0;

  constructor(options: ServersOptions) {
    this.#options = options;
    this.#servers = options.urls.map((url) => ({ url, idle: [], asideUntilMs: 0 }));
    this.#turns = createSemaphore({
      permits: options.connectionsMax,
      deadlineMs: TOTAL_DEADLINE_MS,
      onTimeout: () => new DirectoryUnavailable('no server of the directory answered in time'),
    });
  }

  /**
   * Runs the work with the first server that answers. Work that failed there begins anew with the
   * next one. Rejects with DirectoryUnavailable, or with the MaruError of the work.
   */
  async run<T>(work: (server: Server) => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.connectionsMax + WAITING_MAX)
      throw new DirectoryUnavailable('too many sign-ins wait for the directory');
    this.#running++;
    try {
      return await this.#turns.run(() => this.#tryAll(work));
    } finally {
      this.#running--;
    }
  }

  close(): void {
    for (const server of this.#servers) dropIdle(server);
  }

  async #tryAll<T>(work: (server: Server) => Promise<T>): Promise<T> {
    const { now, logger } = this.#options;
    const isAside = (server: Known) => server.asideUntilMs > now();
    const inOrder = [
      ...this.#servers.filter((server) => !isAside(server)),
      ...this.#servers.filter((server) => isAside(server)),
    ];
    let cause: unknown;
    for (const server of inOrder)
      try {
        const result = await this.#tryOne(server, work);
        server.asideUntilMs = 0;
        return result;
      } catch (error) {
        // Of another part, such as the store. It says nothing about this server.
        if (error instanceof MaruError) throw error;
        cause = error;
        if (!isAside(server))
          logger.warn({ server: server.url, reason: String(error) }, 'a directory server does not answer');
        server.asideUntilMs = now() + ASIDE_MS;
      }
    throw new DirectoryUnavailable('no server of the directory answers', { cause });
  }

  async #tryOne<T>(known: Known, work: (server: Server) => Promise<T>): Promise<T> {
    const { now } = this.#options;
    const opened: LdapConnection[] = [];
    let service: LdapConnection | undefined;
    let isFresh = true;
    const server: Server = {
      open: async () => {
        const connection = await LdapConnection.open({ ...this.#options, url: known.url });
        opened.push(connection);
        return connection;
      },
      asService: async () => {
        if (service !== undefined) return service;
        const idle = takeIdle(known, now());
        isFresh = idle === undefined;
        service = idle ?? (await this.#bindService(known.url));
        return service;
      },
    };
    try {
      const result = await work(server);
      if (service?.isUsable) known.idle.push({ connection: service, sinceMs: now() });
      return result;
    } catch (error) {
      service?.close();
      if (isFresh || error instanceof MaruError) throw error;
    } finally {
      for (const connection of opened) connection.close();
    }
    // The server may just have closed the idle connection.
    dropIdle(known);
    return this.#tryOne(known, work);
  }

  async #bindService(url: string): Promise<LdapConnection> {
    const { service } = this.#options;
    if (service === undefined) throw new Error('there is no service account');
    const connection = await LdapConnection.open({ ...this.#options, url });
    try {
      if (await connection.bind(service.dn, service.password)) return connection;
      throw new Error('the service account was refused');
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

function takeIdle({ idle }: Known, nowMs: number): LdapConnection | undefined {
  for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
    if (one.connection.isUsable && nowMs - one.sinceMs < IDLE_MAX_MS) return one.connection;
    one.connection.close();
  }
  return undefined;
}

function dropIdle(server: Known): void {
  for (const { connection } of server.idle.splice(0)) connection.close();
}
