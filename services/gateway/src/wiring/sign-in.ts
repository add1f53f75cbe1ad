/** Password sign-in, if there is a directory. */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { FilterParser } from 'ldapts';
import type { GatewayConfig } from '../config.ts';
import { LdapDirectory } from '../directory/ldap-directory.ts';
import { LdapServers } from '../directory/servers.ts';
import type { Tokens } from '../identity/tokens.ts';
import { createAttempts } from '../sign-in/attempts.ts';
import { type CurrentRoles, createCurrentRoles } from '../sign-in/current-roles.ts';
import { createPasswordSignIn, type PasswordSignIn } from '../sign-in/password-sign-in.ts';

export interface SignInOptions {
  config: GatewayConfig;
  store: RedisStore;
  tokens: Pick<Tokens, 'issueAccount'>;
  logger: Logger;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

const PERSONS = '(objectClass=person)';

export function createSignIn(options: SignInOptions): {
  passwordSignIn: PasswordSignIn | undefined;
  currentRoles: CurrentRoles;
} {
  const directory = createDirectory(options);
  // Without a service account, only users themselves can read their accounts.
  const lookups = options.config.ldapBindDn === undefined ? undefined : directory;
  return {
    passwordSignIn: passwordSignInOf(options, directory, lookups),
    currentRoles: createCurrentRoles({ directory: lookups, now: options.now }),
  };
}

function passwordSignInOf(
  { config, store, tokens, now, storeNow }: SignInOptions,
  directory: LdapDirectory | undefined,
  lookups: LdapDirectory | undefined,
): PasswordSignIn | undefined {
  // The configuration requires both with a directory.
  if (directory === undefined || tokens.issueAccount === undefined || config.jwtSecret === undefined) return undefined;
  const attempts = createAttempts({
    store,
    limits: {
      freeFailures: config.signInFailuresFree,
      waitMaxMs: config.signInWaitMaxS * 1_000,
      addressBurst: config.signInAddressBurst,
      addressPerMinute: config.signInAddressPerMinute,
    },
    secret: config.jwtSecret,
  });
  const { signInSessionMaxS: sessionMaxS, signInRefusalMs: refusalMs } = config;
  return createPasswordSignIn({
    directory,
    lookups,
    attempts,
    issue: tokens.issueAccount,
    sessionMaxS,
    refusalMs,
    now,
    storeNow,
  });
}

export function createDirectory({
  config,
  logger,
  now,
  storeNow,
}: Pick<SignInOptions, 'config' | 'logger' | 'now' | 'storeNow'>): LdapDirectory | undefined {
  const { ldapUrls, ldapBase, ldapBindDn, ldapBindPassword } = config;
  if (ldapUrls.length === 0 || ldapBase === undefined) return undefined;
  const service =
    ldapBindDn === undefined || ldapBindPassword === undefined
      ? undefined
      : { dn: ldapBindDn, password: ldapBindPassword };
  return new LdapDirectory({
    servers: new LdapServers({
      urls: ldapUrls,
      ca: config.ldapCa,
      plain: config.ldapPlain,
      deadlineMs: config.ldapDeadlineMs,
      connectionsMax: config.ldapConnectionsMax,
      ...{ service, logger, now },
    }),
    base: ldapBase,
    userFilter: config.ldapUserFilter ?? FilterParser.parseString(PERSONS),
    loginAttributes: config.ldapLoginAttributes,
    idAttribute: config.ldapIdAttribute,
    nameAttributes: config.ldapNameAttributes,
    disabledAttributes: config.ldapDisabledAttributes,
    groups: {
      nested: config.ldapNestedGroups,
      base: config.ldapGroupBase ?? ldapBase,
      memberAttribute: config.ldapGroupMember,
    },
    allowedGroups: config.ldapAllowedGroups,
    roles: config.ldapRoles,
    bindAs: config.ldapBindAs,
    ...{ logger, storeNow },
  });
}
