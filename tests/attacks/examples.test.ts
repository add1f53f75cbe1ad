/** The examples are valid, and README.md names a test for each attack. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parsePayload, type RequestName, requestSchemas } from '@maru/protocol';
import fc from 'fast-check';
import { repository } from '../support/cluster.ts';
import { callsWithoutBody, exampleEvents } from './examples.ts';
import { requests } from './mutations.ts';

const values = { room: 'room', token: 'a.b.c', user: 'someone', clientMsgId: 'id' };

test('every event has an example that its schema accepts', () => {
  const examples: Record<string, unknown> = exampleEvents(values);
  for (const name of Object.keys(requestSchemas) as RequestName[])
    assert.doesNotThrow(() => parsePayload(requestSchemas[name], examples[name]), name);
});

test('every HTTP call with a body has an example', () => assert.deepEqual(callsWithoutBody(), []));

test('the fuzzer changes requests of every event, and a seed repeats them', () => {
  const sample = (seed: number) => fc.sample(requests(values), { seed, numRuns: 1_000 });
  const packets = sample(7);
  for (const name of Object.keys(requestSchemas))
    assert(packets.filter((packet) => packet.includes(`["${name}"`)).length > 10, name);
  assert.deepEqual(sample(7), packets);
});

test('the table of attacks names a test file for each attack', () => {
  const page = readFileSync(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (?!attack|---)/.test(line));
  assert(rows.length >= 25);
  for (const row of rows) {
    const files = [...row.matchAll(/`([^`]+\.test\.tsx?)`/g)].map(([, file]) => file as string);
    assert(files.length > 0, row);
    for (const file of files) assert(existsSync(path.join(repository, file)), `${file} does not exist: ${row}`);
  }
});
