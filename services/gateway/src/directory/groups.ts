/**
 * Finds which of the wanted groups contain an account, directly or through nested groups. It
 * searches only for groups named in the settings, so the work is bounded for any directory.
 */
import { EqualityFilter, ExtensibleFilter, OrFilter } from 'ldapts';
import type { LdapConnection } from './connection.ts';
import type { Entry } from './entry.ts';
import { isName, type NormalName, normalName } from './names.ts';

/**
 * How nested groups are resolved. `chain`: by Active Directory's matching rule. `walk`: by reading
 * the groups of groups, level by level. `off`: only direct groups, from the entry's memberOf.
 */
export const NESTED_MODES = ['walk', 'chain', 'off'] as const;

export interface GroupSettings {
  nested: (typeof NESTED_MODES)[number];
  /** Groups are searched below this entry. */
  base: string;
  /** The attribute of a group that names its members. */
  memberAttribute: string;
}

/** LDAP_MATCHING_RULE_IN_CHAIN. */
const IN_CHAIN = '1.2.840.113556.1.4.1941';
/** Maximum nesting levels, and groups on all levels. Further groups are ignored. */
const LEVELS_MAX = 10;
const GROUPS_MAX = 1_000;
/** Names in one filter. */
const NAMES_PER_SEARCH = 50;
/** No attributes, only the names of entries. */
const NO_ATTRIBUTES = ['1.1'];
/** Groups of POSIX accounts cannot be nested. Their members are values of uid. */
const MEMBER_UID = 'memberuid';

export async function groupsOf(
  connection: LdapConnection,
  entry: Entry,
  wanted: ReadonlySet<NormalName>,
  settings: GroupSettings,
): Promise<Set<NormalName>> {
  if (wanted.size === 0) return new Set();
  const direct = entry.texts('memberOf').flatMap(nameOf);
  const found =
    settings.nested === 'off'
      ? direct
      : settings.nested === 'chain'
        ? await findByChain(connection, entry, wanted, settings)
        : await findByWalk(connection, entry, wanted, settings);
  return new Set([...direct, ...found].filter((name) => wanted.has(name)));
}

/** Reads each wanted group once. The server answers from its index. */
async function findByChain(
  connection: LdapConnection,
  { dn }: Entry,
  wanted: ReadonlySet<NormalName>,
  { memberAttribute }: GroupSettings,
): Promise<NormalName[]> {
  const found: NormalName[] = [];
  for (const base of wanted) {
    const filter = new ExtensibleFilter({ matchType: memberAttribute, rule: IN_CHAIN, value: dn });
    const entries = await connection.search({ base, scope: 'base', filter, attributes: NO_ATTRIBUTES, entriesMax: 1 });
    if (entries.length > 0) found.push(base);
  }
  return found;
}

async function findByWalk(
  connection: LdapConnection,
  entry: Entry,
  wanted: ReadonlySet<NormalName>,
  { base, memberAttribute }: GroupSettings,
): Promise<Set<NormalName>> {
  const known = new Set<NormalName>();
  const isPosix = memberAttribute.toLowerCase() === MEMBER_UID;
  // The server may compute memberOf by rules that do not appear in any group's members.
  let level = isPosix ? entry.texts('uid') : [entry.dn, ...entry.texts('memberOf')];
  for (const name of isPosix ? [] : entry.texts('memberOf').flatMap(nameOf)) known.add(name);
  for (let depth = 0; depth < (isPosix ? 1 : LEVELS_MAX) && level.length > 0; depth++) {
    const next: string[] = [];
    for (let from = 0; from < level.length; from += NAMES_PER_SEARCH) {
      const filters = level
        .slice(from, from + NAMES_PER_SEARCH)
        .map((value) => new EqualityFilter({ attribute: memberAttribute, value }));
      const filter = new OrFilter({ filters });
      const entriesMax = GROUPS_MAX;
      const groups = await connection.search({ base, scope: 'sub', filter, attributes: NO_ATTRIBUTES, entriesMax });
      for (const { dn } of groups) {
        const [name] = nameOf(dn);
        if (name === undefined || known.size >= GROUPS_MAX || known.has(name)) continue;
        known.add(name);
        next.push(dn);
      }
    }
    if ([...wanted].every((name) => known.has(name))) break;
    level = next;
  }
  return known;
}

/** A name that cannot be parsed cannot equal a group in the settings. */
const nameOf = (name: string): NormalName[] => (isName(name) ? [normalName(name)] : []);
