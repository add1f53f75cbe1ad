/** Compares docs/protocol.md, which is written by hand, with the sources. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { EVENT_CALLS, type EventCallName } from '../src/calls.ts';
import { ERROR_CATALOGUE } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import { httpSchemas, requestSchemas, resume } from '../src/schemas.ts';
import { errorBody } from './answer-shapes.ts';
import { httpAnswerSchemas, serverEventSchemas } from './answers.ts';
import { assertAnswer, assertHttpAnswer, assertServerEvent } from './assert-answer.ts';
import { bodySchemaOf } from './event-calls.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/<!-- (.+?) -->\n```json\n([\s\S]*?)```/g)].map(([, label = '', json = '']) => ({
  label,
  value: JSON.parse(json) as unknown,
}));

/** The cells of the table below a heading, by row. */
function rowsBelow(heading: string): string[][] {
  const [section = ''] = page.split(`\n## ${heading}\n`)[1]?.split('\n## ') ?? [];
  return [...section.matchAll(/^\| `(.+)$/gm)].map(([line]) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

function hold(label: string, value: unknown): void {
  const [kind = '', name = '', status = ''] = label.split(' ');
  if (kind === 'request') requestSchemas[name as keyof typeof requestSchemas].parse(value);
  else if (kind === 'http-request' && Object.hasOwn(EVENT_CALLS, name))
    bodySchemaOf(name as EventCallName).parse(value);
  else if (kind === 'http-request') httpSchemas[name as keyof typeof httpSchemas].parse(value);
  else if (kind === 'answer') assertAnswer(name, value);
  else if (kind === 'event') assertServerEvent(name, value);
  else if (kind === 'http')
    assertHttpAnswer(
      z.enum(Object.keys(httpAnswerSchemas)).parse(name) as keyof typeof httpAnswerSchemas,
      Number(status),
      value,
    );
  else if (kind === 'error') errorBody.parse(value);
  else if (kind === 'resume') resume.parse(value);
  else assert.fail(`unknown kind of example: ${label}`);
}

describe('docs/protocol.md', () => {
  test('labels every example in JSON', () => {
    assert.equal(examples.length, page.match(/^```json$/gm)?.length);
    assert(examples.length > 25);
  });

  for (const [index, { label, value }] of examples.entries())
    test(`example ${index + 1} is valid: ${label}`, () => hold(label, value));

  test('lists every limit with its value', () => {
    const shown = rowsBelow('Limits').map(([name, value]) => [
      name?.replaceAll('`', ''),
      Number(value?.replace(' *', '')),
    ]);
    assert.deepEqual(Object.fromEntries(shown), { ...LIMITS });
    assert.equal(shown.length, Object.keys(LIMITS).length);
  });

  test('lists every error with its status and whether to retry', () => {
    const shown = rowsBelow('Errors').map(([code, status, retryable]) => [
      code?.replaceAll('`', ''),
      Number(status),
      retryable,
    ]);
    const expected = Object.entries(ERROR_CATALOGUE).map(([code, { httpStatus, retryable }]) => [
      code,
      httpStatus,
      retryable ? 'yes' : 'no',
    ]);
    assert.deepEqual(shown, expected);
  });

  test('describes every event in both directions, and every notice', () => {
    for (const event of [...Object.keys(requestSchemas), ...Object.keys(serverEventSchemas)])
      assert.match(page, new RegExp(`^### \`${event}\``, 'm'), event);
    for (const code of serverEventSchemas.notice.shape.code.options) assert(page.includes(`| \`${code}\` |`), code);
  });
});
