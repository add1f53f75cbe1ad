import assert from 'node:assert/strict';
import { it } from 'node:test';
import { besideOthers } from './draft.ts';

it('changes the own part of a draft to which another text was added', () => {
  assert.equal(besideOthers('mine!', 'mine', 'theirs\nmine'), 'theirs\nmine!');
  assert.equal(besideOthers('mine!', 'mine', 'mine\ntheirs\nmore'), 'theirs\nmore\nmine!');
  assert.equal(besideOthers('', 'mine', 'mine\ntheirs'), 'theirs');
  assert.equal(besideOthers('x', '', 'theirs'), 'theirs\nx');
  assert.equal(besideOthers('ab', 'a', 'that\na'), 'that\nab');
  assert.equal(besideOthers('x', '', 'one\n\ntwo'), 'one\n\ntwo\nx');
  assert.equal(besideOthers('$&', 'mine', 'theirs\nmine'), 'theirs\n$&');
});
