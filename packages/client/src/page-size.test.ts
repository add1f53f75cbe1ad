import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LIMITS } from '@maru/protocol/limits';
import { PageSize } from './page-size.ts';

const MAX = LIMITS.pageEntriesMax;

it('asks for the wanted number while answers are quick', () => {
  const size = new PageSize(3_000);
  size.answered({ asked: 50, got: 50, tookMs: 100 });
  assert.equal(size.of(1_000), MAX);
  assert.equal(size.of(7), 7);
});

it('shrinks after a late page and after a missing one, down to one entry', () => {
  const size = new PageSize(3_000);
  size.answered({ asked: 200, got: 200, tookMs: 3_000 });
  assert.equal(size.of(MAX), 50);
  size.unanswered(50);
  assert.equal(size.of(MAX), 6);
  for (let i = 0; i < 5; i++) size.unanswered(size.of(MAX));
  assert.equal(size.of(MAX), 1);
});

it('shrinks after a late page that is full but small, and not after a late answer with fewer entries', () => {
  const size = new PageSize(3_000);
  for (const got of [0, 3]) size.answered({ asked: 50, got, tookMs: 3_000 });
  assert.equal(size.of(MAX), MAX);
  size.answered({ asked: 3, got: 3, tookMs: 3_000 });
  assert.equal(size.of(MAX), 1);
});

it('grows again after quick full pages, and not after short ones', () => {
  const size = new PageSize(3_000);
  size.unanswered(MAX);
  size.answered({ asked: 50, got: 3, tookMs: 100 });
  assert.equal(size.of(MAX), 25);
  for (let i = 0; i < 6; i++) size.answered({ asked: size.of(MAX), got: size.of(MAX), tookMs: 100 });
  assert.equal(size.of(MAX), MAX);
});
