/** One request over HTTP and its whole answer. By Node's own client: `fetch` costs several times as much, and reports are many while people come and go. */
import * as http from 'node:http';
import * as https from 'node:https';

export interface Exchange {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body: string | undefined;
  /** Until the last byte of the answer. */
  deadlineMs: number;
}

/** Connections are kept for the next request, for somewhat less long than the server says that it keeps them. */
const PLAIN = new http.Agent({ keepAlive: true });
const SECURE = new https.Agent({ keepAlive: true });

/**
 * Rejects where no whole answer comes in time, whatever the reason. An answer of any status is an answer. A kept connection that turns out to
 * be dead before anything came is no answer: the request is made once more, on a new one.
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
    // The timer lives until the outcome is known, not until the library says that it is done: that it may never do.
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
      fail(new Error('another protocol instead of an answer'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && !answered && error.code === 'ECONNRESET';
      fail(isStale ? new StaleConnection('a kept connection was dead', { cause: error }) : error);
    });
    // With its length known, a body is sent in one piece.
    request.end(body);
  });
}
