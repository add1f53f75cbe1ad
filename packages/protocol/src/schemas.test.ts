import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MaruError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { displayName, httpSchemas, parsePayload, text } from './schemas.ts';

const { textBytesMax, textCodePointsMax, nameCharsMax } = LIMITS;

/** Returns `ok`, or the error code. */
function verdict(schema: typeof text, value: string): string {
  try {
    assert.equal(parsePayload(schema, value), value);
    return 'ok';
  } catch (error) {
    if (error instanceof MaruError) return error.code;
    throw error;
  }
}

/** The rule as documented, implemented by a full count of each value. */
function textRule(value: string): string {
  if (value.trim() === '') return 'invalid';
  return Buffer.byteLength(value) > textBytesMax || [...value.trim()].length > textCodePointsMax ? 'too_large' : 'ok';
}

test('a text is limited by its code points and its bytes', () => {
  const wide = '\u3000'; // white space of three bytes, which counts as bytes only
  const widest = Math.floor(textBytesMax / 3);
  const texts: Array<[string, string]> = [
    ['x'.repeat(textCodePointsMax), 'ok'],
    ['x'.repeat(textCodePointsMax + 1), 'too_large'],
    [` ${'x'.repeat(textCodePointsMax)}\n`, 'ok'],
    [` ${'x'.repeat(textCodePointsMax + 1)}`, 'too_large'],
    ['🐢'.repeat(textCodePointsMax), 'ok'],
    ['🐢'.repeat(textCodePointsMax + 1), 'too_large'],
    ['\ud800'.repeat(textCodePointsMax), 'ok'],
    ['\ud800'.repeat(textCodePointsMax + 1), 'too_large'],
    [`${wide.repeat(widest - 1)}한`, 'ok'],
    [`${wide.repeat(widest)}x`, 'ok'],
    [`${wide.repeat(widest)}xx`, 'too_large'],
    [`${wide.repeat(widest)}한`, 'too_large'],
    [`${' '.repeat(textBytesMax - 1)}x`, 'ok'],
    [`${' '.repeat(textBytesMax)}x`, 'too_large'],
    [' '.repeat(textBytesMax + 1), 'invalid'],
  ];
  for (const [value, expected] of texts) {
    const what = `${value.length} units from ${JSON.stringify(value.slice(0, 2))}`;
    assert.equal(textRule(value), expected, `the rule, ${what}`);
    assert.equal(verdict(text, value), expected, what);
  }
});

test('the fast check gives the same result as a full count', () => {
  const unit = fc.constantFrom('x', 'é', '한', '\u3000', ' ', '🐢', '\ud800', '\udc00');
  const bounds = [textCodePointsMax, textBytesMax, textBytesMax / 2, textBytesMax / 3, textBytesMax / 4];
  const length = fc.oneof(
    fc.nat({ max: textBytesMax + 10 }),
    fc
      .tuple(fc.constantFrom(...bounds), fc.integer({ min: -3, max: 3 }))
      .map(([bound, off]) => Math.floor(bound) + off),
  );
  const run = fc.tuple(unit, length).map(([one, times]) => one.repeat(times));
  const ends = fc.string({ unit, maxLength: 4 });
  fc.assert(
    fc.property(ends, run, ends, (before, middle, after) => {
      const value = before + middle + after;
      assert.equal(verdict(text, value), textRule(value));
    }),
  );
});

test('a name is limited by code points, not by UTF-16 units', () => {
  for (const one of ['x', '한', '🐢']) {
    assert.equal(verdict(displayName, one.repeat(nameCharsMax)), 'ok', one);
    assert.equal(verdict(displayName, one.repeat(nameCharsMax + 1)), 'invalid', one);
  }
});

test('users are searched by a whole id, however long', () => {
  const q = 'u'.repeat(LIMITS.userIdCharsMax);
  assert.deepEqual(parsePayload(httpSchemas.users, { q }), { q });
  assert.throws(() => parsePayload(httpSchemas.users, { q: `${q}u` }));
});
