/** Creates the guests of a run. It runs in k6's `setup`. */
import { sleep } from 'k6';
import http from 'k6/http';

const ATTEMPTS_MAX = 8;
const RETRY_AFTER_S_MAX = 10;

/**
 * Creates `count` guests.
 * @returns their tokens
 * @throws {Error} with a sentence for the operator, if the cluster creates no guests
 */
export function createGuests(options: { url: string; count: number }): string[] {
  return Array.from({ length: options.count }, (_, index) => createGuest(options.url, `load ${index + 1}`));
}

function createGuest(url: string, name: string): string {
  let last = '';
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const answer = http.post(`${url}/api/v1/guests`, JSON.stringify({ name }), {
      headers: { 'Content-Type': 'application/json' },
      tags: { name: 'POST /api/v1/guests' },
    });
    if (answer.status === 201) {
      const token = answer.json('token');
      if (typeof token === 'string') return token;
      throw new Error(`${url} returned a guest without a token. Is this a Maru cluster?`);
    }
    if (answer.status === 403 || answer.status === 404 || answer.status === 405)
      throw new Error(`${url} creates no guests (${answer.status}). If they are disabled there, use --tokens FILE`);
    last = answer.status === 0 ? answer.error : `status ${answer.status}`;
    const retryAfterS = Number(answer.headers['Retry-After'] ?? '') || 0.25 * attempt;
    sleep(Math.min(retryAfterS, RETRY_AFTER_S_MAX));
  }
  throw new Error(`${url} did not create a guest in ${ATTEMPTS_MAX} attempts: ${last}`);
}
