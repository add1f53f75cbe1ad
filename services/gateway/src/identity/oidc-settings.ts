/** Settings of an OpenID provider whose tokens are accepted. Without an issuer, there is none. */
import { asList, asOneOf, asText, asUrl, ConfigError } from '@maru/service-kit';
import { ASYMMETRIC } from './algorithms.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const asHttp = asUrl('http', 'https');

/** Keys from an unencrypted connection would prove nothing. */
export const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));

const asIssuer = (raw: string): string => {
  const { search, hash } = new URL(asHttp(raw));
  if (!isSafe(new URL(raw)) || search !== '' || hash !== '')
    throw new Error('must begin with https://, except on this machine, and have no query');
  return raw;
};

/** Group names may contain commas, so semicolons separate them. */
const parts = (raw: string): string[] =>
  raw
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export interface RoleOfClaim {
  role: string;
  group: string;
}

const asRoles = (raw: string): RoleOfClaim[] =>
  parts(raw).map((part) => {
    const [, role, group] = /^([a-z][a-z0-9_-]{0,63})=(.+)$/i.exec(part) ?? [];
    if (role === undefined || group === undefined) throw new Error('must be a list like admin=chat-admins');
    return { role, group };
  });

export const OIDC_FIELDS = {
  oidcIssuer: {
    env: 'MARU_OIDC_ISSUER',
    doc: 'OpenID provider whose tokens are accepted, spelled as their iss: https://…; none: no such sign-in',
    parse: asIssuer,
    fallback: undefined,
  },
  oidcClientId: {
    env: 'MARU_OIDC_CLIENT_ID',
    doc: 'client id of the web client at the provider',
    parse: asText,
    fallback: undefined,
  },
  oidcOtherClients: {
    env: 'MARU_OIDC_OTHER_CLIENTS',
    doc: 'client ids of other programs whose tokens are accepted, comma-separated',
    parse: asList,
    fallback: [] as string[],
  },
  oidcAudiences: {
    env: 'MARU_OIDC_AUDIENCES',
    doc: 'a token must have one of these in aud, comma-separated; none: MARU_OIDC_CLIENT_ID',
    parse: asList,
    fallback: [] as string[],
  },
  oidcAlgorithms: {
    env: 'MARU_OIDC_ALGORITHMS',
    doc: 'algorithms of signatures that are accepted, comma-separated',
    parse: (raw: string) => asList(raw).map(asOneOf(...ASYMMETRIC)),
    fallback: ['RS256', 'PS256', 'ES256', 'EdDSA'] as string[],
  },
  oidcIdClaim: {
    env: 'MARU_OIDC_ID_CLAIM',
    doc: 'the user id; a dot leads into a claim: realm_access.id',
    parse: asText,
    fallback: 'sub',
  },
  oidcNameClaims: {
    env: 'MARU_OIDC_NAME_CLAIMS',
    doc: 'the display name: the first of these claims that the token has, comma-separated',
    parse: asList,
    fallback: ['name', 'preferred_username'] as string[],
  },
  oidcGroupsClaim: { env: 'MARU_OIDC_GROUPS_CLAIM', doc: 'groups of the user', parse: asText, fallback: 'groups' },
  oidcAllowedGroups: {
    env: 'MARU_OIDC_ALLOWED_GROUPS',
    doc: 'groups whose members may sign in, separated by semicolons; none: every user of the provider may',
    parse: parts,
    fallback: [] as string[],
  },
  oidcRoles: {
    env: 'MARU_OIDC_ROLES',
    doc: 'roles of groups, separated by semicolons: admin=chat-admins',
    parse: asRoles,
    fallback: [] as RoleOfClaim[],
  },
  oidcName: {
    env: 'MARU_OIDC_NAME',
    doc: 'how the web client names the provider: Sign in with …; none: the host of the issuer',
    parse: asText,
    fallback: undefined,
  },
  oidcScope: {
    env: 'MARU_OIDC_SCOPE',
    doc: 'what the web client asks the provider for',
    parse: asText,
    fallback: 'openid profile',
  },
  oidcToken: {
    env: 'MARU_OIDC_TOKEN',
    doc: "which of the provider's tokens the web client uses: access or id",
    parse: asOneOf('access', 'id'),
    fallback: 'access' as const,
  },
} as const;

/** Throws a ConfigError if the settings contradict each other. */
export function checkOidc({
  oidcIssuer,
  oidcClientId,
}: {
  oidcIssuer: string | undefined;
  oidcClientId: string | undefined;
}): void {
  if ((oidcIssuer === undefined) !== (oidcClientId === undefined))
    throw new ConfigError('Configuration: MARU_OIDC_ISSUER and MARU_OIDC_CLIENT_ID belong together');
}
