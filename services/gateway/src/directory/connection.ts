/**
 * One connection to a directory server, encrypted unless the settings disable TLS. Each operation
 * has a deadline. The library follows no referrals. It reconnects without a bind, so nothing is
 * searched on a connection that was lost.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client, type Filter, ResultCodeError } from 'ldapts';
import { Entry } from './entry.ts';
import { BINARY_ATTRIBUTES } from './ids.ts';

export interface ConnectionOptions {
  /** `ldaps://…`, or `ldap://…` for StartTLS. */
  url: string;
  /** Certificate authorities in PEM; undefined: those that Node.js trusts. */
  ca: string | undefined;
  /** Disables TLS. */
  plain: boolean;
  deadlineMs: number;
}

export interface Search {
  base: string;
  /** `base`: only that entry. `sub`: also all entries below it. */
  scope: 'base' | 'sub';
  filter: Filter;
  attributes: string[];
  /** Further entries are omitted. */
  entriesMax: number;
}

/**
 * Bind results that mean that the account may not sign in: wrong password, no password to compare,
 * no such entry, or an account that the server has locked. All other results are failures of the
 * server.
 */
const REFUSALS = new Set([19, 32, 34, 48, 49, 50, 53]);
const NO_SUCH_OBJECT = 32;

export class LdapConnection {
  readonly #client: Client;
  readonly #options: ConnectionOptions;
  #socket: Socket | undefined;

  private constructor(options: ConnectionOptions) {
    const { url, deadlineMs } = options;
    this.#options = options;
    this.#client = new Client({
      url,
      timeout: deadlineMs,
      connectTimeout: deadlineMs,
      ...(url.startsWith('ldaps:') ? { tlsOptions: this.#tlsOptions() } : {}),
      createConnection: ((...args: Parameters<typeof connectTcp>) =>
        this.#keep(connectTcp(...args))) as typeof connectTcp,
      createSecureConnection: ((...args: Parameters<typeof connectTls>) => {
        const socket = connectTls(...args);
        if (this.#socket === undefined) this.#keep(socket);
        return socket;
      }) as typeof connectTls,
    });
  }

  /** Rejects if the server does not answer, or its certificate is not trusted. */
  static async open(options: ConnectionOptions): Promise<LdapConnection> {
    const connection = new LdapConnection(options);
    // `ldaps` connects at the bind.
    if (options.url.startsWith('ldap:') && !options.plain)
      await connection.#inTime(connection.#client.startTLS(connection.#tlsOptions()));
    return connection;
  }

  /** False if the server is gone, or refused the last bind. */
  get isUsable(): boolean {
    return this.#client.isBound && this.#socket?.destroyed === false;
  }

  /** False if the account may not sign in. Rejects if that cannot be determined. */
  async bind(dn: string, password: string): Promise<boolean> {
    if (password === '') throw new Error('an empty password is an anonymous bind');
    // The library treats some words as SASL mechanisms.
    if (!/[=@\\]/.test(dn)) return false;
    try {
      await this.#inTime(this.#client.bind(dn, password));
      return true;
    } catch (error) {
      if (error instanceof ResultCodeError && REFUSALS.has(error.code)) return false;
      throw error;
    }
  }

  async search({ base, scope, filter, attributes, entriesMax }: Search): Promise<Entry[]> {
    if (!this.isUsable) throw new Error('the connection was lost');
    try {
      const { searchEntries } = await this.#inTime(
        this.#client.search(base, {
          scope,
          filter,
          attributes,
          sizeLimit: entriesMax,
          timeLimit: Math.ceil(this.#options.deadlineMs / 1_000),
          explicitBufferAttributes: BINARY_ATTRIBUTES,
        }),
      );
      return searchEntries.map((entry) => new Entry(entry));
    } catch (error) {
      // The base may be a group that was deleted.
      if (scope === 'base' && error instanceof ResultCodeError && error.code === NO_SUCH_OBJECT) return [];
      throw error;
    }
  }

  close(): void {
    this.#client.unbind().catch(() => {});
    this.#socket?.destroySoon();
  }

  #keep(socket: Socket): Socket {
    this.#socket = socket;
    return socket;
  }

  #tlsOptions() {
    const { url, ca } = this.#options;
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    return {
      host,
      minVersion: 'TLSv1.2' as const,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    };
  }

  /** The library has no deadline for the handshake of StartTLS. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no answer in ${deadlineMs} ms`));
        this.#socket?.destroy();
      }, deadlineMs + 50);
      work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
