/** The settings of a service as administrators see them, without secrets. Pure. */
import type { Fields } from '@maru/service-kit';

export interface ShownSetting {
  /** The name of the variable. */
  name: string;
  doc: string;
  /** Null if it is not set, or a secret. */
  value: string | null;
  secret: boolean;
}

export const shownSettings = (fields: Fields, config: Readonly<Record<string, unknown>>): ShownSetting[] =>
  Object.entries(fields).map(([name, { env, doc, secret = false }]) => ({
    name: env,
    doc,
    value: secret ? null : shown(config[name]),
    secret,
  }));

function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? withoutPassword(value) : String(value);
}

/** An address may contain a password although the setting is not secret. */
function withoutPassword(value: string): string {
  if (!URL.canParse(value)) return value;
  const url = new URL(value);
  if (url.password === '') return value;
  url.password = '…';
  return url.href;
}
