/**
 * Configuration from the environment. A field has its variable, documentation, validator and
 * default in one place. All invalid variables are reported in one line before anything starts.
 */
import { isPublicSecret } from './secrets.ts';

export interface Field<T> {
  env: string;
  doc: string;
  /** On failure throws an Error whose message completes the sentence "VARIABLE …". */
  parse: (raw: string) => T;
  /** The value if the variable is unset or empty. Without it the variable is required. */
  fallback?: T;
  /** A secret is never printed. Public values, such as those of the local overlay, are refused. */
  secret?: boolean;
}

export type Fields = Record<string, Field<unknown>>;
export type ConfigOf<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export class ConfigError extends Error {}

/** Allows public secrets, for the local overlay. Every service has this field. */
export const DEVELOPMENT_FIELD = {
  env: 'MARU_DEVELOPMENT',
  doc: 'on: accept the public secrets of this repository, on your own machine only',
  parse: (raw: string): boolean => asSwitch(raw),
  fallback: false,
};

/** Reads all fields. Throws one ConfigError that lists every problem. */
export function readConfig<F extends Fields>(fields: F, environment: Record<string, string | undefined>): ConfigOf<F> {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const raw = environment[field.env];
    if (raw === undefined || raw === '') {
      if ('fallback' in field) config[name] = field.fallback;
      else problems.push(`${field.env} is required (${field.doc})`);
      continue;
    }
    if (field.secret === true && environment[DEVELOPMENT_FIELD.env] !== 'on' && isPublicSecret(raw)) {
      problems.push(`${field.env} is a secret that anyone can read in Maru's repository: generate another one`);
      continue;
    }
    try {
      config[name] = field.parse(raw);
    } catch (error) {
      problems.push(`${field.env} ${error instanceof Error ? error.message : 'is invalid'} (${field.doc})`);
    }
  }
  if (problems.length > 0) throw new ConfigError(`Configuration: ${problems.join('; ')}`);
  return config as ConfigOf<F>;
}

export const asText = (raw: string): string => raw;

/** An integer from `min` to `max`. */
export const asInteger =
  (min: number, max: number) =>
  (raw: string): number => {
    const value = Number(raw);
    if (!/^-?\d+$/.test(raw) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };

export const asOneOf =
  <const T extends readonly string[]>(...choices: T) =>
  (raw: string): T[number] => {
    if (!choices.includes(raw)) throw new Error(`must be one of ${choices.join(', ')}`);
    return raw;
  };

export const asSwitch = (raw: string): boolean => {
  if (raw === 'on') return true;
  if (raw === 'off') return false;
  throw new Error('must be on or off');
};

/** Comma-separated. Empty items are dropped. */
export const asList = (raw: string): string[] =>
  raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export const asUrl =
  (...protocols: string[]) =>
  (raw: string): string => {
    const protocol = URL.canParse(raw) ? new URL(raw).protocol.replace(':', '') : '';
    if (!protocols.includes(protocol))
      throw new Error(`must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`);
    return raw;
  };

/**
 * A process name. It is used in session ids, keys and logs, so it contains no characters that need
 * escaping.
 */
export const asNodeName = (raw: string): string => {
  if (!/^[a-zA-Z0-9-]{1,63}$/.test(raw)) throw new Error('must be 1 to 63 letters, digits and hyphens');
  return raw;
};

/** The fields as a Markdown table, for the documentation. */
export function describeFields(fields: Fields): string {
  const rows = Object.values(fields).map((field) => {
    const fallback = 'fallback' in field ? describeDefault(field.fallback) : 'required';
    return `| \`${field.env}\` | ${fallback} | ${field.doc}${field.secret === true ? ' (secret)' : ''} |`;
  });
  return ['| variable | default | what it is |', '| --- | --- | --- |', ...rows].join('\n');
}

function describeDefault(fallback: unknown): string {
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return 'none';
  if (typeof fallback === 'boolean') return fallback ? 'on' : 'off';
  return String(fallback);
}
