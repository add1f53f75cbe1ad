import { readFileSync } from 'node:fs';

/** The version of this gateway. `unknown` if its package.json was not deployed. */
export function gatewayVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
