/**
 * One HTTP request and its complete answer. It uses the client of Node.js, because `fetch` costs
 * several times as much CPU, and reports are frequent.
 */
import * as http from 'node:http';
import * as https from 'node:https';

export interface Exchange {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body: string | undefined;
  /** Includes the time until the last byte of the answer. */
  deadlineMs: number;
}

/** Keeps connections for later requests, for slightly less time than the server announces. */
const PLAIN = new http.Agent({ keepAlive: true });
const SECURE = new https.Agent({ keepAlive: true });

/**
 * Resolves with the answer, whatever its status is. Rejects if no complete answer arrives in time.
 * If a reused connection turns out to be closed before the answer begins, the request is sent once
 * again on a new connection.
 */
export async function exchange(url: string, request: Exchange): Promise<Answer> {
  const dueAtMs = performance.now() + request.deadlineMs;
  try {
    return await ask(url, request, request.deadlineMs);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return ask(url, request, Math.max(1, dueAtMs - performance.now()));
  }
}

export interface Answer {
  status: number;
  text: string;
}

class StaleConnection extends Error {}

function ask(url: string, { method, headers, body, deadlineMs }: Exchange, leftMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isSecure = url.startsWith('https:');
    const options = { method, headers, agent: isSecure ? SECURE : PLAIN };
    const request = (isSecure ? https : http).request(url, options);
    // The timer runs until the outcome is known, because the library may never report the end.
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      outcome();
    };
    const fail = (error: Error) => settle(() => reject(error));
    const timer = setTimeout(() => {
      const late = new Error(`no answer within ${deadlineMs} ms`);
      request.destroy(late);
      fail(late);
    }, leftMs);
    let answered = false;
    request.once('response', (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => settle(() => resolve({ status: response.statusCode ?? 0, text })));
      response.once('error', fail);
    });
    request.once('upgrade', (_, socket) => {
      socket.destroy();
      fail(new Error('the server switched the protocol'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && !answered && error.code === 'ECONNRESET';
      fail(isStale ? new StaleConnection('a reused connection was closed', { cause: error }) : error);
    });
    // Passed to `end`, the body has a known length and is sent in one piece.
    request.end(body);
  });
}
