/** Settings of LDAP sign-in. Without a server address, it is disabled. */
import { asInteger, asList, asOneOf, asSwitch, asText, ConfigError } from '@maru/service-kit';
import { type Filter, FilterParser } from 'ldapts';
import { DISABLED_ATTRIBUTES, type DisabledAttribute } from './disabled.ts';
import { NESTED_MODES } from './groups.ts';
import { isName, type NormalName, normalName } from './names.ts';

/** Maximum groups in the settings, because a sign-in may search for each. */
const GROUPS_MAX = 50;
const USERNAME = '{username}';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const asUrls = (raw: string): string[] =>
  asList(raw).map((url) => {
    const { protocol, hostname, pathname } = URL.canParse(url)
      ? new URL(url)
      : { protocol: '', hostname: '', pathname: '' };
    if ((protocol !== 'ldap:' && protocol !== 'ldaps:') || hostname === '' || pathname.length > 1)
      throw new Error('must be a list of addresses like ldaps://dc1.example.com');
    return url;
  });

const asName = (raw: string): string => {
  normalName(raw);
  return raw;
};

const asFilter = (raw: string): Filter => {
  try {
    return FilterParser.parseString(raw);
  } catch {
    throw new Error('must be a filter like (objectClass=person)');
  }
};

const asAttribute = (raw: string): string => {
  if (!/^[a-z][a-z0-9-]{0,63}$/i.test(raw)) throw new Error('must be the name of an attribute');
  return raw;
};

const asAttributes = (raw: string): string[] => asList(raw).map(asAttribute);

const asDisabledAttributes = (raw: string): DisabledAttribute[] =>
  asList(raw).map(asOneOf(...(DISABLED_ATTRIBUTES as [DisabledAttribute, ...DisabledAttribute[]])));

/** Names contain commas, so semicolons separate them. */
const parts = (raw: string): string[] =>
  raw
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const bounded = <T>(groups: T[]): T[] => {
  if (groups.length > GROUPS_MAX) throw new Error(`must name at most ${GROUPS_MAX} groups`);
  return groups;
};

const asGroups = (raw: string): NormalName[] => bounded(parts(raw).map(normalName));

export interface RoleOfGroup {
  role: string;
  group: NormalName;
}

const asRoles = (raw: string): RoleOfGroup[] =>
  bounded(
    parts(raw).map((part) => {
      const [, role, group = ''] = /^([a-z][a-z0-9_-]{0,63})=(.+)$/i.exec(part) ?? [];
      if (role === undefined || !isName(group))
        throw new Error('must be a list like admin=cn=chat-admins,ou=groups,dc=example,dc=com');
      return { role, group: normalName(group) };
    }),
  );

const asBindName = (raw: string): string => {
  if (raw.split(USERNAME).length !== 2 || !/[=@\\]/.test(raw))
    throw new Error(`must have ${USERNAME} once, as in ${USERNAME}@corp.example.com`);
  return raw;
};

export const LDAP_FIELDS = {
  ldapUrls: {
    env: 'MARU_LDAP_URLS',
    doc: 'servers of the directory in the order in which they are tried, comma-separated: ldaps://…, or ldap://… with StartTLS; none: no such sign-in',
    parse: asUrls,
    fallback: [] as string[],
  },
  ldapCa: {
    env: 'MARU_LDAP_CA',
    doc: 'certificate authorities of these servers in PEM, mostly set as MARU_LDAP_CA_FILE; none: the well-known ones',
    parse: asText,
    fallback: undefined,
  },
  ldapPlain: {
    env: 'MARU_LDAP_PLAIN',
    doc: 'on: no TLS, only to servers on this machine, for tests',
    parse: asSwitch,
    fallback: false,
  },
  ldapBindDn: {
    env: 'MARU_LDAP_BIND_DN',
    doc: 'service account that finds accounts and reads groups; needed for renewals',
    parse: asText,
    fallback: undefined,
  },
  ldapBindPassword: {
    env: 'MARU_LDAP_BIND_PASSWORD',
    doc: 'its password',
    parse: asText,
    fallback: undefined,
    secret: true,
  },
  ldapBindAs: {
    env: 'MARU_LDAP_BIND_AS',
    doc: 'name with which a user binds, such as {username}@corp.example.com; none: the entry that the service account finds',
    parse: asBindName,
    fallback: undefined,
  },
  ldapBase: { env: 'MARU_LDAP_BASE', doc: 'accounts are below this entry', parse: asName, fallback: undefined },
  ldapUserFilter: {
    env: 'MARU_LDAP_USER_FILTER',
    doc: 'entries that are accounts; none: (objectClass=person)',
    parse: asFilter,
    fallback: undefined,
  },
  ldapLoginAttributes: {
    env: 'MARU_LDAP_LOGIN_ATTRIBUTES',
    doc: 'what a user may type as the name, comma-separated',
    parse: asAttributes,
    fallback: ['uid'] as string[],
  },
  ldapIdAttribute: {
    env: 'MARU_LDAP_ID_ATTRIBUTE',
    doc: 'the user id: an attribute that is unique and never changes',
    parse: asAttribute,
    fallback: 'uid',
  },
  ldapNameAttributes: {
    env: 'MARU_LDAP_NAME_ATTRIBUTES',
    doc: 'the display name: the first of these attributes that the entry has, comma-separated',
    parse: asAttributes,
    fallback: ['displayName', 'cn'] as string[],
  },
  ldapDisabledAttributes: {
    env: 'MARU_LDAP_DISABLED_ATTRIBUTES',
    doc: 'attributes that may say that an account is disabled, comma-separated',
    parse: asDisabledAttributes,
    fallback: DISABLED_ATTRIBUTES,
  },
  ldapGroupBase: {
    env: 'MARU_LDAP_GROUP_BASE',
    doc: 'groups are below this entry; none: MARU_LDAP_BASE',
    parse: asName,
    fallback: undefined,
  },
  ldapGroupMember: {
    env: 'MARU_LDAP_GROUP_MEMBER',
    doc: 'attribute of a group that names its members',
    parse: asAttribute,
    fallback: 'member',
  },
  ldapNestedGroups: {
    env: 'MARU_LDAP_NESTED_GROUPS',
    doc: 'how groups in groups are found: walk: level by level; chain: by the matching rule of Active Directory; off: not at all, only memberOf of the account',
    parse: asOneOf(...NESTED_MODES),
    fallback: 'walk' as const,
  },
  ldapAllowedGroups: {
    env: 'MARU_LDAP_ALLOWED_GROUPS',
    doc: 'names of groups whose members may sign in, separated by semicolons; none: every account may',
    parse: asGroups,
    fallback: [] as NormalName[],
  },
  ldapRoles: {
    env: 'MARU_LDAP_ROLES',
    doc: 'roles of groups, separated by semicolons: admin=cn=chat-admins,ou=groups,dc=example,dc=com',
    parse: asRoles,
    fallback: [] as RoleOfGroup[],
  },
  ldapConnectionsMax: {
    env: 'MARU_LDAP_CONNECTIONS_MAX',
    doc: 'sign-ins and renewals of this gateway at the directory at once; each uses up to two connections',
    parse: asInteger(1, 100),
    fallback: 8,
  },
  ldapDeadlineMs: {
    env: 'MARU_LDAP_DEADLINE_MS',
    doc: 'deadline of a connect, a bind and a search; then the next server is tried',
    parse: asInteger(100, 9_000),
    fallback: 3_000,
  },
} as const;

type LdapConfig = { [K in keyof typeof LDAP_FIELDS]: ReturnType<(typeof LDAP_FIELDS)[K]['parse']> | undefined };

/** Throws a ConfigError if the settings contradict each other. */
export function checkLdap(
  config: Pick<LdapConfig, 'ldapUrls' | 'ldapPlain' | 'ldapBase' | 'ldapBindDn' | 'ldapBindPassword' | 'ldapBindAs'>,
  jwtSecret: string | undefined,
): void {
  const { ldapUrls = [], ldapPlain, ldapBase, ldapBindDn, ldapBindPassword, ldapBindAs } = config;
  if (ldapUrls.length === 0) return;
  const problems = [
    ldapBase === undefined && 'MARU_LDAP_URLS needs MARU_LDAP_BASE',
    jwtSecret === undefined && 'MARU_LDAP_URLS needs MARU_JWT_SECRET, which signs the tokens',
    ldapBindDn === undefined &&
      ldapBindAs === undefined &&
      'MARU_LDAP_URLS needs MARU_LDAP_BIND_DN or MARU_LDAP_BIND_AS',
    (ldapBindDn === undefined) !== (ldapBindPassword === undefined) &&
      'MARU_LDAP_BIND_DN and MARU_LDAP_BIND_PASSWORD belong together',
    ldapPlain === true &&
      ldapUrls.some((url) => !LOOPBACK.has(new URL(url).hostname)) &&
      'MARU_LDAP_PLAIN=on is for servers on this machine only',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new ConfigError(`Configuration: ${problems.join('; ')}`);
}
