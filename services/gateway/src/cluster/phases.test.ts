import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { type Phase, runPhases } from './phases.ts';

const logger = createLogger({ service: 'test', node: 'test', level: 'silent' });
const phase = (name: string, run: () => unknown): Phase => ({ name, deadlineMs: 50, run });

test('all phases run in order', async () => {
  const ran: string[] = [];
  await runPhases([phase('one', () => ran.push('one')), phase('two', async () => ran.push('two'))], logger);
  assert.deepEqual(ran, ['one', 'two']);
});

test('failed and overdue phases do not stop later ones, and the stop rejects with their names', async () => {
  let reached = false;
  const phases = [
    phase('fails', () => {
      throw new Error('broken');
    }),
    phase('hangs', () => new Promise(() => {})),
    phase('last', () => {
      reached = true;
    }),
  ];
  await assert.rejects(runPhases(phases, logger), /fails, hangs/);
  assert.ok(reached);
});
