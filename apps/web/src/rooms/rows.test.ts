import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, MyRoom } from '@maru/protocol/events';
import { allRows, type SectionsInput, sectionsOf } from './rows.ts';

const last = (id: string, text: string, more: Partial<Entry> = {}) =>
  ({ from: { id, name: id }, text, ...more }) as Entry;
const mine = (room: string, more: Partial<MyRoom> = {}): MyRoom =>
  ({ room, title: '', visibility: 'public', notify: 'all', unread: 0, mentions: 0, ...more }) as MyRoom;
const sections = (more: Partial<SectionsInput> = {}) =>
  sectionsOf({
    ...{ mine: [], open: [], shown: null, drafts: new Set<string>(), names: new Map([['jun', '준']]) },
    ...{ ownId: 'me', locale: 'ko', query: '', unreadOnly: false, ...more },
  });
const ids = (rows: ReturnType<typeof allRows>) => rows.map(({ room }) => room);
const row = (more: Partial<MyRoom>, input: Partial<SectionsInput> = {}) => {
  const [found] = allRows(sections({ mine: [mine('tea', more)], ...input }));
  return found ?? assert.fail('no row');
};

describe('the list of rooms', () => {
  it('sorts rooms by name, and direct rooms by their newest message', () => {
    const list = [
      mine('d-2', { with: 'jun' }),
      mine('b-10'),
      mine('p-1', { title: '가게', visibility: 'private' }),
      mine('b-9'),
      mine('d-1', { with: 'a' }),
      mine('c', { title: 'Apples' }),
    ];
    const { people, rooms } = sections({ mine: list });
    assert.deepEqual(ids(people), ['d-2', 'd-1']);
    assert.deepEqual(rooms.map(({ name }) => name).toSorted(), ['Apples', 'b-10', 'b-9', '가게']);
    assert.deepEqual(ids(rooms).slice(-3), ['c', 'b-9', 'b-10']);
    assert.deepEqual(rooms, sections({ mine: list.toReversed() }).rooms);
  });

  it("contains open rooms that are not in the user's list", () => {
    const open = ['tea', 'b', 'a'].map((room) => ({ room, title: '', unread: 2, mentions: 1 }));
    const { visited, rooms } = sections({ mine: [mine('tea')], open, shown: open[1] ?? null });
    assert.deepEqual([ids(rooms), ids(visited)], [['tea'], ['a', 'b']]);
    assert.deepEqual(
      visited.map(({ unread, mentions, notify }) => [unread, mentions, notify]),
      [
        [2, 1, null],
        [0, 0, null],
      ],
    );
  });

  it('can be filtered by typing, and by unread messages; the shown room stays', () => {
    const list = [mine('notice', { title: '공지' }), mine('tea', { unread: 1 }), mine('milk')];
    assert.deepEqual(ids(allRows(sections({ mine: list, query: 'ㄱㅈ' }))), ['notice']);
    const shown = { room: 'milk', title: '', unread: 0 };
    assert.deepEqual(ids(allRows(sections({ mine: list, unreadOnly: true, shown }))).toSorted(), ['milk', 'tea']);
  });
});

describe('a row', () => {
  it('counts messages according to the notification rule', () => {
    const counts = (notify: MyRoom['notify']) => {
      const { unread, mentions } = row({ notify, unread: 5, mentions: 2 });
      return [unread, mentions];
    };
    assert.deepEqual(
      [counts('all'), counts('mentions'), counts('none')],
      [
        [5, 2],
        [0, 2],
        [0, 0],
      ],
    );
  });

  it('uses the count of the view if its room is on the screen', () => {
    const shown = { room: 'tea', title: '', unread: 0 };
    const { unread, mentions } = row({ unread: 5, mentions: 2 }, { shown });
    assert.deepEqual([unread, mentions], [0, 0]);
    assert.equal(row({ unread: 5 }, { shown: { ...shown, unread: 7 } }).unread, 7);
  });

  it('shows the author and the text of the last message', () => {
    const lastOf = ({ lastAuthor, lastText, isLastOwn, isLastDeleted }: ReturnType<typeof row>) => [
      lastAuthor,
      lastText,
      isLastOwn,
      isLastDeleted,
    ];
    assert.deepEqual(lastOf(row({ last: last('jun', 'two\n lines') })), ['jun', 'two lines', false, false]);
    assert.deepEqual(lastOf(row({ last: last('me', 'mine') })), ['', 'mine', true, false]);
    assert.deepEqual(lastOf(row({ with: 'jun', last: last('jun', 'hi') })), ['', 'hi', false, false]);
    const deleted = last('jun', '', { deleted: { ts: 1, by: 'jun' } });
    assert.deepEqual(lastOf(row({ last: deleted })), ['jun', '', false, true]);
    assert.equal(row({ last: last('jun', 'x'.repeat(9_999)) }).lastText.length, 120);
  });

  it('marks a room with a draft, except the shown room', () => {
    const drafts = new Set(['tea']);
    assert.equal(row({}, { drafts }).hasDraft, true);
    assert.equal(row({}, { drafts, shown: { room: 'tea', title: '', unread: 0 } }).hasDraft, false);
  });
});
