/** Who the clients of a run are: guests where the cluster has them, or tokens that the operator gave. Runs in k6's `setup`. */
import { sleep } from 'k6';
import http from 'k6/http';

const ATTEMPTS_MAX = 8;
const RETRY_AFTER_S_MAX = 10;

/**
 * Asks for `count` guests.
 * @returns their tokens
 * @throws {Error} with a sentence for the operator, when the cluster has no guests or does not give them
 */
export function makeGuests(options: { url: string; count: number }): string[] {
  return Array.from({ length: options.count }, (_, index) => makeGuest(options.url, `load ${index + 1}`));
}

function makeGuest(url: string, name: string): string {
  let last = '';
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const answer = http.post(`${url}/api/v1/guests`, JSON.stringify({ name }), {
      headers: { 'Content-Type': 'application/json' },
      tags: { name: 'POST /api/v1/guests' },
    });
    if (answer.status === 201) {
      const token = answer.json('token');
      if (typeof token === 'string') return token;
      throw new Error(`${url} made a guest without a token; is this a Maru cluster?`);
    }
    if (answer.status === 403 || answer.status === 404 || answer.status === 405)
      throw new Error(
        `${url} makes no guests (${answer.status}). If they are switched off there, give tokens: --tokens FILE`,
      );
    last = answer.status === 0 ? answer.error : `status ${answer.status}`;
    const retryAfterS = Number(answer.headers['Retry-After'] ?? '') || 0.25 * attempt;
    sleep(Math.min(retryAfterS, RETRY_AFTER_S_MAX));
  }
  throw new Error(`${url} did not make a guest in ${ATTEMPTS_MAX} attempts: ${last}`);
}
