import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { becomeLeader } from './leader.ts';
import { HOLD_MS, NOTICES_MAX, WINDOW_MS } from './queue.ts';
import { createNoticeWorld, textEntry } from './testing/notice-world.ts';

describe('notices', () => {
  it('are shown once for live messages, once for several of a room, and then need no timer', () => {
    const { list, joined, arrive, afterHold, timers } = createNoticeWorld();
    list('tea');
    joined('tea', 4);
    arrive('tea', 3, 4);
    assert.deepEqual(afterHold(), [], 'older than the join');
    arrive('tea', 5);
    arrive('tea', 6, 7);
    assert.deepEqual(afterHold(), ['tea×3@7']);
    assert.equal(timers(), 0);
  });

  it('are not doubled for a message that arrives as an entry and through the inbox', () => {
    const { list, joined, tell, inbox, afterHold } = createNoticeWorld();
    list('tea');
    joined('tea', 0);
    tell('entries', { room: 'tea', entries: [textEntry('tea', 1, { mentions: ['me'] })] });
    inbox('mention', 'tea', 1);
    assert.deepEqual(afterHold(), ['tea×1@1']);
    inbox('mention', 'tea', 1);
    assert.deepEqual(afterHold(), []);
    inbox('mention', 'elsewhere', 1);
    inbox('message', 'd-1', 1);
    assert.deepEqual(afterHold(), ['elsewhere×1@1', 'd-1×1@1']);
  });

  it('are not shown for messages that are read within the delay, here or on another device', () => {
    const { world, list, inbox, afterHold, withdrawn } = createNoticeWorld();
    list('d-1', { visibility: 'direct' });
    inbox('message', 'd-1', 1);
    list('d-1', { read: { seq: 1, n: 1 } });
    assert.deepEqual(afterHold(), []);
    inbox('message', 'd-1', 2);
    world.looks = 'd-1';
    assert.deepEqual(afterHold(), []);
    world.looks = '';
    withdrawn.length = 0;
    list('d-1', { unread: 1 });
    inbox('message', 'd-1', 3);
    assert.deepEqual([afterHold(), withdrawn], [['d-1×1@3'], []]);
    list('d-1', { read: { seq: 3, n: 3 }, unread: 0 });
    assert.deepEqual(withdrawn, ['d-1'], 'the notice is withdrawn');
  });
});

describe('many notices', () => {
  it('are bounded, however much arrives', () => {
    const { joined, list, inbox, afterHold, afterWindow, heard, pass } = createNoticeWorld();
    for (let room = 1; room <= 30; room++) list(`r-${room}`);
    for (let room = 1; room <= NOTICES_MAX; room++) inbox('mention', `r-${room}`, 1);
    assert.deepEqual(afterHold(), ['r-1×1@1', 'r-2×1@1', 'r-3×1@1']);
    for (let room = 1; room <= 30; room++) {
      inbox('mention', `r-${room}`, 2);
      pass(100);
    }
    assert.deepEqual(heard(), [], 'the window is not over');
    assert.equal(afterWindow().length, 1);
    joined('r-1', 0);
    pass(WINDOW_MS);
    for (let room = 1; room <= 30; room++) inbox('mention', `r-${room}`, 3);
    assert.deepEqual(afterHold(), ['30 in 30']);
  });

  it('become one after a reconnect, for all that was missed', () => {
    const { list, joined, session, lose, arrive, inbox, pass, heard, world } = createNoticeWorld();
    world.about = 'direct';
    list('tea', { unread: 1, mentions: 1 });
    list('d-1', { visibility: 'direct' });
    joined('tea', 4);
    lose();
    session({ tea: 8 });
    arrive('tea', 5, 6, 7, 8);
    list('tea', { unread: 5, mentions: 3 });
    list('d-1', { unread: 2 });
    inbox('message', 'd-1', 2);
    pass(3_000);
    assert.deepEqual(heard(), ['4 in 2']);
    // In one room, the newest message is named.
    lose();
    session({ tea: 8 });
    list('d-1', { unread: 3, last: textEntry('d-1', 3) });
    pass(3_000);
    assert.deepEqual(heard(), ['d-1×1@3']);
    // No notice if nothing is new, or the reader looks at the page.
    lose();
    session({ tea: 8 });
    pass(3_000);
    lose();
    world.isPageLookedAt = true;
    session({ tea: 8 });
    list('d-1', { unread: 9 });
    pass(3_000);
    assert.deepEqual(heard(), []);
    world.isPageLookedAt = false;
    inbox('message', 'd-1', 20);
    pass(HOLD_MS);
    assert.deepEqual(heard(), ['d-1×1@20'], 'live messages give notices again');
  });

  it('are not shown for the entries that close a gap', () => {
    const { list, joined, tell, arrive, afterHold } = createNoticeWorld();
    list('tea');
    joined('tea', 4);
    tell('gap', { room: 'tea', reason: 'too_far', after: { epoch: 'e', seq: 4 } });
    arrive('tea', 50, 51);
    assert.deepEqual(afterHold(), []);
    arrive('tea', 52);
    assert.deepEqual(afterHold(), ['tea×1@52']);
  });

  it('end with the page', () => {
    const { close, inbox, afterHold, timers } = createNoticeWorld();
    inbox('message', 'd-1', 1);
    close();
    inbox('message', 'd-1', 2);
    assert.deepEqual([afterHold(), timers()], [[], 0]);
  });
});

describe('the leader of several tabs', () => {
  it('is one at a time, and the next one takes over', async () => {
    const { locks } = navigator;
    const [first, second] = [becomeLeader('a', locks), becomeLeader('a', locks)];
    const other = becomeLeader('b', locks);
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
    await turn();
    assert.deepEqual([first.isLeading(), second.isLeading(), other.isLeading()], [true, false, true]);
    first.close();
    await turn();
    assert.deepEqual([first.isLeading(), second.isLeading()], [false, true]);
    const third = becomeLeader('a', locks);
    third.close();
    second.close();
    other.close();
    await turn();
    assert.equal(third.isLeading(), false);
  });

  it('is each tab if the browser has no locks', () => {
    assert.equal(becomeLeader('a', undefined).isLeading(), true);
  });
});
