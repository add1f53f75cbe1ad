/** Calls the HTTP API as a bot does. */
import assert from 'node:assert/strict';

export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code: string;
  retryable: boolean;
}

export interface Call {
  method?: string;
  token?: string;
  headers?: Record<string, string>;
  /** A string is sent unchanged, anything else as JSON. */
  body?: unknown;
}

export async function call<T = Record<string, unknown>>(
  endpoint: string,
  path: string,
  options: Call = {},
): Promise<Answer<T>> {
  const { body } = options;
  const response = await fetch(`${endpoint}/api/v1${path}`, {
    method: options.method ?? 'GET',
    headers: {
      // On a busy machine, a kept connection may end at the moment in which it is used again.
      connection: 'close',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    assert.fail(`${options.method ?? 'GET'} ${path} answered ${response.status} without JSON: ${text.slice(0, 200)}`);
  }
  return { status: response.status, headers: response.headers, body: parsed as T };
}

/** Asserts a problem of RFC 9457 with the code of the contract. */
export function assertProblem(answer: Answer<unknown>, statuses: number | number[], code: string, what = ''): void {
  const problem = answer.body as Problem;
  const about = `${what} ${answer.status} ${JSON.stringify(problem).slice(0, 300)}`;
  assert([statuses].flat().includes(answer.status), about);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, about);
  assert.equal(problem.code, code, about);
  assert.equal(problem.retryable, ['rate_limited', 'internal', 'unavailable'].includes(code), about);
  if (problem.status !== undefined) assert.equal(problem.status, answer.status, about);
}
