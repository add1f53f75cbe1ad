/** Accounts of an LDAP directory or of Active Directory. */
import { randomUUID } from 'node:crypto';
import { displayName, LIMITS } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { AndFilter, EqualityFilter, type Filter, OrFilter } from 'ldapts';
import type { LdapConnection } from './connection.ts';
import type { Credentials, Directory, Outcome } from './directory.ts';
import { type DisabledAttribute, isDisabled } from './disabled.ts';
import type { Entry } from './entry.ts';
import { type GroupSettings, groupsOf } from './groups.ts';
import { filterOfId, idOf } from './ids.ts';
import type { RoleOfGroup } from './ldap-settings.ts';
import { escapeValue, foldName, type NormalName } from './names.ts';
import type { LdapServers, Server } from './servers.ts';

export interface LdapDirectoryOptions {
  servers: LdapServers;
  /** Accounts are searched below this entry with this filter. */
  base: string;
  userFilter: Filter;
  loginAttributes: string[];
  idAttribute: string;
  nameAttributes: string[];
  disabledAttributes: readonly DisabledAttribute[];
  groups: GroupSettings;
  /** Empty allows every account. */
  allowedGroups: NormalName[];
  roles: RoleOfGroup[];
  /**
   * A template with `{username}` for the bind name of users. Undefined: bind as the found entry.
   */
  bindAs: string | undefined;
  logger: Logger;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

/** One more than valid, to detect that a name matches two accounts. */
const ENTRIES_MAX = 2;

export class LdapDirectory implements Directory {
  readonly #options: LdapDirectoryOptions;
  readonly #wanted: ReadonlySet<NormalName>;

  constructor(options: LdapDirectoryOptions) {
    this.#options = options;
    this.#wanted = new Set([...options.allowedGroups, ...options.roles.map(({ group }) => group)]);
  }

  signIn(credentials: Credentials, mayTry: (id: string) => Promise<boolean>): Promise<Outcome> {
    const { servers, bindAs } = this.#options;
    return servers.run((server) =>
      bindAs === undefined
        ? this.#searchThenBind(server, credentials, mayTry)
        : this.#bindThenSearch(server, credentials, bindAs, mayTry),
    );
  }

  find(id: string): Promise<Outcome> {
    const { servers, idAttribute } = this.#options;
    return servers.run(async (server) => {
      const filter = filterOfId(id, idAttribute);
      if (filter === undefined) return { ok: false, reason: 'unknown' };
      const connection = await server.asService();
      const entry = await this.#findOne(connection, filter);
      // The directory's comparison is less strict than that of user ids.
      if (entry === undefined || idOf(entry, idAttribute) !== id) return { ok: false, reason: 'unknown' };
      return this.#judge(connection, entry, id);
    });
  }

  async close(): Promise<void> {
    this.#options.servers.close();
  }

  async #searchThenBind(
    server: Server,
    { username, password }: Credentials,
    mayTry: (id: string) => Promise<boolean>,
  ): Promise<Outcome> {
    const service = await server.asService();
    const entry = await this.#findOne(service, this.#filterOfLogin(username));
    const id = entry && idOf(entry, this.#options.idAttribute);
    const refused = await this.#whyNot(entry, id, mayTry);
    // A refusal takes the directory as much work and time as a wrong password.
    const dn = refused === undefined && entry !== undefined ? entry.dn : this.#absentDn();
    const isRight = await (await server.open()).bind(dn, password);
    if (refused !== undefined) return refused;
    if (entry === undefined || id === undefined || !isRight)
      return { ok: false, reason: 'password', ...(id && { id }) };
    return this.#judge(service, entry, id);
  }

  async #whyNot(
    entry: Entry | undefined,
    id: string | undefined,
    mayTry: (id: string) => Promise<boolean>,
  ): Promise<Outcome | undefined> {
    if (entry === undefined) return { ok: false, reason: 'unknown' };
    if (id === undefined) return { ok: false, reason: 'unusable' };
    return (await mayTry(id)) ? undefined : { ok: false, reason: 'paused', id };
  }

  /**
   * The found entry may differ from the bound account, for example if one account's name is
   * another's address. So the password is also checked against the found entry.
   */
  async #bindThenSearch(
    server: Server,
    { username: typed, password }: Credentials,
    bindAs: string,
    mayTry: (id: string) => Promise<boolean>,
  ): Promise<Outcome> {
    const isDn = bindAs.includes('=');
    const username = withoutSuffix(typed, bindAs.slice(bindAs.indexOf('}') + 1));
    if (!isDn && !/^[^@\\/\s]+$/.test(username)) return { ok: false, reason: 'unknown' };
    const connection = await server.open();
    // The id is not known before the bind. With and without the suffix, it is the same account.
    if (!(await mayTry(`bound ${foldName(username)}`))) {
      await connection.bind(this.#absentDn(), password);
      return { ok: false, reason: 'paused' };
    }
    const name = bindAs.replace('{username}', () => (isDn ? escapeValue(username) : username));
    if (!(await connection.bind(name, password))) return { ok: false, reason: 'password' };
    const entry = await this.#findOne(connection, this.#filterOfLogin(username));
    if (entry === undefined) return { ok: false, reason: 'unknown' };
    const id = idOf(entry, this.#options.idAttribute);
    if (id === undefined) return { ok: false, reason: 'unusable' };
    if (!(await connection.bind(entry.dn, password))) return { ok: false, reason: 'password', id };
    return this.#judge(connection, entry, id);
  }

  async #judge(connection: LdapConnection, entry: Entry, id: string): Promise<Outcome> {
    const { disabledAttributes, groups, allowedGroups, roles, storeNow } = this.#options;
    if (isDisabled(disabledAttributes, (name) => entry.texts(name), storeNow()))
      return { ok: false, reason: 'disabled', id };
    const names = await groupsOf(connection, entry, this.#wanted, groups);
    if (allowedGroups.length > 0 && !allowedGroups.some((group) => names.has(group)))
      return { ok: false, reason: 'group', id };
    const own = roles.filter(({ group }) => names.has(group)).map(({ role }) => role);
    return { ok: true, account: { id, name: this.#nameOf(entry) ?? id, roles: [...new Set(own)] } };
  }

  /** Undefined if no entry or more than one entry matches. */
  async #findOne(connection: LdapConnection, filter: Filter): Promise<Entry | undefined> {
    const { base, userFilter, idAttribute, nameAttributes, disabledAttributes, logger } = this.#options;
    const entries = await connection.search({
      base,
      scope: 'sub',
      filter: new AndFilter({ filters: [userFilter, filter] }),
      attributes: [...new Set([idAttribute, ...nameAttributes, ...disabledAttributes, 'memberOf', 'uid'])],
      entriesMax: ENTRIES_MAX,
    });
    if (entries.length > 1) logger.warn('a name means several accounts of the directory: none may sign in');
    return entries.length === 1 ? entries[0] : undefined;
  }

  #filterOfLogin(username: string): Filter {
    return new OrFilter({
      filters: this.#options.loginAttributes.map((attribute) => new EqualityFilter({ attribute, value: username })),
    });
  }

  #nameOf(entry: Entry): string | undefined {
    const { nameAttributes } = this.#options;
    const names = nameAttributes.flatMap((attribute) => entry.texts(attribute).slice(0, 1));
    return names
      .map((name) => [...name.trim()].slice(0, LIMITS.nameCharsMax).join(''))
      .find((name) => displayName.safeParse(name).success);
  }

  /** The name of an entry that does not exist. */
  #absentDn(): string {
    return `cn=${randomUUID()},${this.#options.base}`;
  }
}

/** A user may type the full name, such as mina@corp.example.com. */
const withoutSuffix = (typed: string, suffix: string): string =>
  suffix !== '' && typed.toLowerCase().endsWith(suffix.toLowerCase()) ? typed.slice(0, -suffix.length) : typed;
