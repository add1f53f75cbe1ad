import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matches } from './match.ts';

describe('a query matches', () => {
  const found = (query: string, ...names: string[]) => matches(query, names);

  it('any part of a name, in any case', () => {
    assert.ok(found('sign', 'Design team'));
    assert.ok(found('TEAM', 'Design team'));
    assert.ok(!found('tame', 'Design team'));
    assert.ok(found('', 'anything'));
  });

  it('each of its words, in any of the names', () => {
    assert.ok(found('team de-1', 'Design team', 'de-1'));
    assert.ok(!found('team de-2', 'Design team', 'de-1'));
  });

  it('initials of Hangul syllables, also among other characters', () => {
    assert.ok(found('ㄱㅈ', '공지'));
    assert.ok(found('ㄱㅈ', '전체 공지사항'));
    assert.ok(found('ㄷㅈㅇ2', '디자인2팀'));
    assert.ok(!found('ㅈㄱ', '공지'));
    assert.ok(found('ㄲ', '꼬리'));
    assert.ok(!found('ㄱ', '꼬리'), 'another consonant');
  });

  it('a syllable that is still being typed', () => {
    for (const typed of ['ㄱ', '고', '공', '공ㅈ', '공지']) assert.ok(found(typed, '공지'), typed);
    assert.ok(found('과', '관리'), 'a vowel of two keys');
    assert.ok(found('달', '닭'), 'a final of two keys');
    assert.ok(!found('강', '공지'));
  });

  it('decomposed text, which some systems type', () => {
    assert.ok(found('공지'.normalize('NFD'), '공지'));
    assert.ok(found('공지', '공지'.normalize('NFD')));
  });
});
