/**
 * A real OpenLDAP server for one test, on free ports of this machine, with TLS, nested groups and
 * the overlay that writes memberOf. It also supports attributes of Active Directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePort, poll } from '@maru/service-kit/testing';
import { Attribute, Change, Client } from 'ldapts';
import { findProgram } from '../../tools/bootstrap/find-program.mjs';
import { PROGRAMS } from '../../tools/bootstrap/programs.mjs';
import { type Certificates, makeCertificates } from './certificates.ts';

export const BASE = 'dc=example,dc=com';
export const PEOPLE = `ou=people,${BASE}`;
export const GROUPS = `ou=groups,${BASE}`;
export const SERVICE = { dn: `cn=maru,${BASE}`, password: 'the service account' };
const ADMIN = { dn: `cn=admin,${BASE}`, password: 'the administrator' };

const SCHEMAS = ['/etc/ldap/schema', '/etc/openldap/schema', '/opt/homebrew/etc/openldap/schema'];
const MODULES = ['/usr/lib/ldap', '/usr/lib64/openldap', '/usr/lib/openldap', '/usr/libexec/openldap'];
const START_TIMEOUT_MS = 20_000;
const OUTPUT_CHARS_MAX = 4_000;

export const slapdProgram = (): string | null => {
  const { names, places } = PROGRAMS.slapd;
  return findProgram(names, process.env, places);
};
/** Why tests that need it are skipped. False if they can run. */
export const withoutSlapd = (): string | false =>
  slapdProgram() === null || findProgram(['openssl'], process.env) === null
    ? 'slapd or openssl is not installed'
    : false;

export interface Slapd {
  ldapsUrl: string;
  /** With StartTLS, or without TLS. */
  ldapUrl: string;
  certificates: Certificates;
  /** Binds and searches of other clients since the start, from its log. */
  counts(): Promise<{ binds: number; searches: number }>;
  add(dn: string, attributes: Record<string, string | string[]>): Promise<void>;
  modify(dn: string, operation: 'add' | 'replace' | 'delete', attributes: Record<string, string[]>): Promise<void>;
  remove(dn: string): Promise<void>;
  /** Adds a person with the given uid, which is also the password. */
  addPerson(uid: string, more?: Record<string, string | string[]>): Promise<string>;
  addGroup(cn: string, members: string[]): Promise<string>;
  /** Resolves when it has stopped. */
  pause(): Promise<void>;
  resume(): void;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export const personDn = (uid: string): string => `uid=${uid},${PEOPLE}`;
export const groupDn = (cn: string): string => `cn=${cn},${GROUPS}`;

/** Settings with which a gateway finds the people and groups of this server. */
export const directorySettings = ({ ldapsUrl, certificates }: Pick<Slapd, 'ldapsUrl' | 'certificates'>) => ({
  MARU_LDAP_URLS: ldapsUrl,
  MARU_LDAP_CA: certificates.ca,
  MARU_LDAP_BIND_DN: SERVICE.dn,
  MARU_LDAP_BIND_PASSWORD: SERVICE.password,
  MARU_LDAP_BASE: PEOPLE,
  MARU_LDAP_GROUP_BASE: GROUPS,
});

const settings = (directory: string, { certificateFile, keyFile, caFile }: Certificates): string => {
  const schemas = SCHEMAS.find((folder) => existsSync(folder)) ?? '';
  const modules = MODULES.find(
    (folder) => existsSync(path.join(folder, 'back_mdb.so')) || existsSync(path.join(folder, 'back_mdb.la')),
  );
  return `
${['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include ${schemas}/${name}.schema`).join('\n')}
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'accountExpires' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'directoryAccount' SUP top AUXILIARY
  MAY ( userAccountControl $ accountExpires $ nsAccountLock $ objectGUID $ shadowExpire ) )
${modules === undefined ? '' : `modulepath ${modules}\nmoduleload back_mdb\nmoduleload memberof`}
pidfile ${directory}/slapd.pid
sizelimit 500
TLSCACertificateFile ${caFile}
TLSCertificateFile ${certificateFile}
TLSCertificateKeyFile ${keyFile}
database mdb
suffix "${BASE}"
rootdn "${ADMIN.dn}"
rootpw "${ADMIN.password}"
directory ${directory}/data
dbnosync
index objectClass,uid,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
overlay memberof
memberof-refint TRUE
`;
};

export async function startSlapd(options: { certificates?: Certificates } = {}): Promise<Slapd> {
  const directory = mkdtempSync(path.join(tmpdir(), 'maru-slapd-'));
  mkdirSync(path.join(directory, 'data'));
  const certificates = options.certificates ?? makeCertificates(path.join(directory, 'tls'), 'IP:127.0.0.1');
  const file = path.join(directory, 'slapd.conf');
  writeFileSync(file, settings(directory, certificates));
  const [plainPort, tlsPort] = [await findFreePort(), await findFreePort()];
  const ldapUrl = `ldap://127.0.0.1:${plainPort}`;
  const ldapsUrl = `ldaps://127.0.0.1:${tlsPort}`;
  let child: ChildProcess | undefined;
  let output = '';
  const counted = { binds: 0, searches: 0 };

  const asAdmin = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ url: ldapUrl, timeout: 5_000, connectTimeout: 5_000 });
    try {
      await client.bind(ADMIN.dn, ADMIN.password);
      return await work(client);
    } finally {
      await client.unbind();
    }
  };

  const launch = async () => {
    // It logs operations to stderr, and stays in the foreground.
    const started = spawn(slapdProgram() as string, ['-f', file, '-h', `${ldapUrl} ${ldapsUrl}`, '-d', '256'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    started.stderr.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      counted.binds += text.match(/ BIND dn="(?!cn=admin).*method=/g)?.length ?? 0;
      counted.searches += text.match(/ SRCH base="(?!cn=mark)/g)?.length ?? 0;
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    });
    await poll(
      'slapd to answer',
      async () => {
        if (started.exitCode !== null) throw new Error(`slapd ended:\n${output}`);
        return asAdmin(async () => true).catch(() => false);
      },
      { timeoutMs: START_TIMEOUT_MS },
    );
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const stop = async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  };
  const add: Slapd['add'] = (dn, attributes) => asAdmin((client) => client.add(dn, attributes));

  try {
    await launch();
    await fill(add);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ldapsUrl,
    ldapUrl,
    certificates,
    counts: async () => {
      const mark = `cn=mark-${randomUUID()}`;
      await asAdmin((client) => client.search(mark, { scope: 'base' })).catch(() => {});
      await poll('the log', () => output.includes(mark));
      return { ...counted };
    },
    add,
    modify: (dn, operation, attributes) =>
      asAdmin((client) =>
        client.modify(
          dn,
          Object.entries(attributes).map(
            ([type, values]) => new Change({ operation, modification: new Attribute({ type, values }) }),
          ),
        ),
      ),
    remove: (dn) => asAdmin((client) => client.del(dn)),
    addPerson: async (uid, more = {}) => {
      const person = { cn: uid, sn: uid, displayName: uid, userPassword: uid, ...more };
      await add(personDn(uid), { objectClass: ['inetOrgPerson', 'directoryAccount'], uid, ...person });
      return personDn(uid);
    },
    addGroup: async (cn, members) => {
      await add(groupDn(cn), { objectClass: 'groupOfNames', cn, member: members });
      return groupDn(cn);
    },
    pause: () => stopThreads(child),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      await launch();
    },
    stop,
  };
}

/** Each thread stops by itself, so one may still answer after the signal was sent. */
async function stopThreads(child: ChildProcess | undefined): Promise<void> {
  child?.kill('SIGSTOP');
  const folder = `/proc/${child?.pid}/task`;
  if (!existsSync(folder)) return;
  const isStopped = (thread: string) => /^State:\s*T/m.test(readFileSync(`${folder}/${thread}/status`, 'utf8'));
  await poll('slapd to stop', () => readdirSync(folder).every(isStopped));
}

async function fill(add: Slapd['add']): Promise<void> {
  await add(BASE, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' });
  for (const ou of ['people', 'groups']) await add(`ou=${ou},${BASE}`, { objectClass: 'organizationalUnit', ou });
  await add(SERVICE.dn, {
    objectClass: ['organizationalRole', 'simpleSecurityObject'],
    cn: 'maru',
    userPassword: SERVICE.password,
  });
}
