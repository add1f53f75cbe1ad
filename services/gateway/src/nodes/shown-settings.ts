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

/** `environment`: the variables that `config` was read from. */
export const shownSettings = (
  fields: Fields,
  config: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): ShownSetting[] =>
  Object.entries(fields).map(([name, { env, doc, secret = false }]) => ({
    name: env,
    doc,
    value: secret ? null : shown(config[name], environment[env]),
    secret,
  }));

/** An empty variable counts as unset. */
function shown(value: unknown, text = ''): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'object' && text !== '') return withoutSecrets(text);
  return withoutSecrets(Array.isArray(value) ? value.join(',') : String(value));
}

/** An address may contain a secret although the setting is not one. */
function withoutSecrets(value: string): string {
  if (!value.includes('://')) return value;
  return value.replace(/:\/\/[^/?#]*@/g, '://…@').replace(/([?&][^?&=#]*=|[?&])[^&#]*/g, '$1…');
}
