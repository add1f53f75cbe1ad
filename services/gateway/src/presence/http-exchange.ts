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

/** Rejects where no whole answer comes in time, whatever the reason. An answer of any status is an answer. */
export function exchange(
  url: string,
  { method, headers, body, deadlineMs }: Exchange,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const isSecure = url.startsWith('https:');
    const options = { method, headers, agent: isSecure ? SECURE : PLAIN };
    const request = (isSecure ? https : http).request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', reject);
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    request.once('error', reject);
    request.once('close', () => clearTimeout(timer));
    // With its length known, a body is sent in one piece.
    request.end(body);
  });
}
