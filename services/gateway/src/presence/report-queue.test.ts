import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LocalPresence } from './local-presence.ts';
import { ReportQueue } from './report-queue.ts';

const enter = (room: string, id: string) => ({ op: 'enter' as const, room, user: { id, name: id } });
const leave = (room: string, userId: string) => ({ op: 'leave' as const, room, userId });

describe('report queue', () => {
  it('keeps the last operation of each user and room', () => {
    const queue = new ReportQueue({ opsMax: 10 });
    queue.push(enter('lobby', 'u1'));
    queue.push(enter('lobby', 'u2'));
    queue.push(leave('lobby', 'u1'));
    assert.deepEqual(queue.take(10, { statuses: true }), [leave('lobby', 'u1'), enter('lobby', 'u2')]);
    assert.equal(queue.size, 0);
  });

  it('returns statuses only on request, and then first', () => {
    const queue = new ReportQueue({ opsMax: 10 });
    queue.push(enter('lobby', 'u1'));
    queue.push({ op: 'status', userId: 'u1', status: 'away' });
    queue.push({ op: 'status', userId: 'u1', status: 'dnd' });
    assert.deepEqual(queue.take(10, { statuses: false }), [enter('lobby', 'u1')]);
    assert.deepEqual(queue.take(10, { statuses: true }), [{ op: 'status', userId: 'u1', status: 'dnd' }]);
  });

  it('returns at most the requested number', () => {
    const queue = new ReportQueue({ opsMax: 10 });
    for (let i = 0; i < 5; i++) queue.push(enter('lobby', `u${i}`));
    assert.equal(queue.take(3, { statuses: true }).length, 3);
    assert.equal(queue.take(3, { statuses: true }).length, 2);
  });

  it('drops everything on overflow and reports it', () => {
    const queue = new ReportQueue({ opsMax: 3 });
    for (let i = 0; i < 4; i++) queue.push(enter('lobby', `u${i}`));
    assert.equal(queue.hasOverflowed, true);
    assert.ok(queue.size <= 3);
    queue.clear();
    assert.equal(queue.hasOverflowed, false);
  });
});

describe('local presence', () => {
  it('yields its whole state, statuses first', () => {
    const local = new LocalPresence();
    local.enter('lobby', { id: 'u1', name: 'U1' });
    local.setStatus('u1', 'invisible', undefined);
    local.setStatus('absent', 'away', undefined);
    assert.deepEqual(
      [...local.fullState()],
      [
        { op: 'status', userId: 'u1', status: 'invisible', ifAbsent: true },
        { op: 'enter', room: 'lobby', user: { id: 'u1', name: 'U1' } },
      ],
    );
  });

  it('forgets a user with the last room', () => {
    const local = new LocalPresence();
    local.enter('lobby', { id: 'u1', name: 'U1' });
    local.enter('lobby', { id: 'u1', name: 'U1' });
    local.setStatus('u1', 'away', 'lunch');
    local.leave('lobby', 'u1');
    local.leave('lobby', 'u1');
    assert.deepEqual([...local.fullState()], []);
  });

  it('keeps a status set in no room while the user is connected, and yields it if the service lost its state', () => {
    const connected = new Set(['u1', 'u2']);
    const local = new LocalPresence({ isConnected: (userId) => connected.has(userId) });
    const statuses = (options?: { isLost: boolean }) =>
      [...local.fullState(options)].flatMap((op) => (op.op === 'status' ? [op.userId] : []));
    for (const id of ['u1', 'u2', 'absent']) local.setStatus(id, 'invisible', undefined);
    assert.deepEqual([statuses(), statuses({ isLost: true })], [[], ['u1', 'u2']]);
    local.enter('lobby', { id: 'u1', name: 'U1' });
    assert.deepEqual(statuses(), [], 'a visit on another node may have ended it');
    local.setStatus('u1', 'away', undefined);
    assert.deepEqual(statuses(), ['u1']);
    local.leave('lobby', 'u1');
    assert.deepEqual(statuses({ isLost: true }), ['u2'], 'the visit ended it');
    connected.delete('u2');
    assert.deepEqual(statuses({ isLost: true }), []);
    connected.add('u2');
    assert.deepEqual(statuses({ isLost: true }), [], 'forgotten');
  });

  it('may change while it is read', () => {
    const local = new LocalPresence();
    for (const id of ['u1', 'u2', 'u3']) local.enter('lobby', { id, name: id });
    const state = local.fullState();
    state.next();
    local.leave('lobby', 'u2');
    local.enter('den', { id: 'u4', name: 'u4' });
    assert.deepEqual(
      [...state].map((op) => (op.op === 'enter' ? op.user.id : op.op)),
      ['u3', 'u4'],
    );
  });
});
