import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TransportChoice } from './transport-choice.ts';

const POLLING_FOR_MS = 600_000;
const both = () => new TransportChoice(['websocket', 'polling'], POLLING_FOR_MS);

it('uses polling for a while after a WebSocket hung and polling worked', () => {
  const choice = both();
  assert.deepEqual(choice.next(0), ['websocket', 'polling']);
  choice.hung('websocket', { hadSession: false });
  assert.deepEqual(choice.next(1), ['polling']);
  choice.connected(1_000);
  choice.failed();
  assert.deepEqual(choice.next(POLLING_FOR_MS), ['polling']);
  assert.deepEqual(choice.next(1_000 + POLLING_FOR_MS), ['websocket', 'polling']);
});

it('tries WebSocket again if polling does not work either', () => {
  for (const fail of ['hung', 'failed'] as const) {
    const choice = both();
    choice.hung('websocket', { hadSession: false });
    if (fail === 'hung') choice.hung('polling', { hadSession: true });
    else choice.failed();
    assert.deepEqual(choice.next(1), ['websocket', 'polling']);
  }
});

it('tries WebSocket again after a silent one that had a session', () => {
  const choice = both();
  choice.hung('websocket', { hadSession: true });
  assert.deepEqual(choice.next(1), ['websocket', 'polling']);
  choice.worked();
  choice.hung('websocket', { hadSession: true });
  assert.deepEqual(choice.next(1), ['websocket', 'polling']);
  choice.hung('websocket', { hadSession: true });
  assert.deepEqual(choice.next(1), ['polling']);
});

it('does not avoid WebSocket after an ordinary loss', () => {
  const choice = both();
  choice.connected(0);
  choice.failed();
  assert.deepEqual(choice.next(1), ['websocket', 'polling']);
});

it('uses only what the host allows', () => {
  const choice = new TransportChoice(['websocket'], POLLING_FOR_MS);
  choice.hung('websocket', { hadSession: false });
  assert.deepEqual(choice.next(1), ['websocket']);
});
