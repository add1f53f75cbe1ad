import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDiffMessage, pathOf } from './index.ts';

const lobby = {
  room: 'lobby',
  prev: 1,
  version: 2,
  count: 1,
  whole: false,
  joins: [{ id: 'u1', name: 'U1', status: 'online' }],
  leaves: [],
  updates: [],
};

test('refuses differences that are forged, of another room, or too large', () => {
  const payload = JSON.stringify(lobby);
  assert.deepEqual(parseDiffMessage('lobby', payload), lobby);
  assert.equal(parseDiffMessage('den', payload), undefined);
  assert.equal(parseDiffMessage('lobby', 'not json'), undefined);
  assert.equal(parseDiffMessage('lobby', '[]'), undefined);
  assert.equal(parseDiffMessage('lobby', JSON.stringify({ ...lobby, count: -1 })), undefined);
  assert.equal(parseDiffMessage('lobby', `${' '.repeat(1_100_000)}${payload}`), undefined);
});

test('escapes the parameter of a path', () => {
  assert.equal(pathOf('sync', 'gw-a'), '/v1/nodes/gw-a/sync');
  assert.equal(pathOf('room', 'a/$&'), '/v1/rooms/a%2F%24%26');
  assert.equal(pathOf('counts'), '/v1/counts');
});
