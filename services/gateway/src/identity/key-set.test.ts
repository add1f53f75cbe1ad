/** Tests against a real HTTP server that answers like failing identity providers. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodeProtectedHeader, type JWK, SignJWT } from 'jose';
import { KeySet } from './key-set.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function makeKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk: JWK = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  const { kid: _, ...withoutId } = jwk;
  const sign = (header: { kid?: string }) =>
    new SignJWT({ sub: 'mina' })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .setExpirationTime('1h')
      .sign(privateKey);
  return { jwk, withoutId, token: () => sign({ kid }), tokenWithoutId: () => sign({}) };
}
const [one, two, bogus] = [makeKey('one'), makeKey('two'), makeKey('bogus')];

type Answer = (response: ServerResponse) => void;
const publish =
  (...keys: JWK[]): Answer =>
  (response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
/** Wrong answers of providers instead of their keys. */
const troubles: Record<string, Answer> = {
  'an empty key set': publish(),
  'a page instead of JSON': (response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>'),
  'JSON without keys': (response) => response.end('{"error":"maintenance"}'),
  'keys that are no objects': (response) => response.end('{"keys":[null]}'),
  'status 503': (response) => response.writeHead(503).end('{"keys":[]}'),
  'status 200 of an error page that ends early': (response) => response.socket?.destroy(),
  'a redirect to a sign-in page': (response) => response.writeHead(302, { location: '/sign-in' }).end(),
  'no answer': () => {},
};

let answer: Answer;
let fetches = 0;
const provider = createServer((_request, response) => {
  fetches++;
  answer(response);
});
before(() => new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve)));
after(() => {
  provider.close();
  provider.closeAllConnections();
});

/** Moves the clock of the key set. */
let skippedMs = 0;
const skip = (ms: number) => {
  skippedMs += ms;
};
beforeEach(() => {
  fetches = 0;
  answer = publish(one.jwk);
});

function open(staleMaxMs = 24 * HOUR_MS) {
  const failures: unknown[] = [];
  const keySet = new KeySet({
    locate: () => new URL(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`),
    staleMaxMs,
    now: () => performance.now() + skippedMs,
    coolDownMs: 500,
    fetchTimeoutMs: 1_000,
    onFetch: (outcome, error) => {
      if (outcome === 'failed') failures.push(error);
    },
  });
  const enter = async (token: string): Promise<string> =>
    keySet.verify(token, decodeProtectedHeader(token), { algorithms: ['RS256'] }).then(
      () => 'in',
      (error: Error) => error.constructor.name,
    );
  return { enter, failures };
}

for (const [trouble, give] of Object.entries(troubles)) {
  describe(`while the provider gives ${trouble}`, () => {
    test('a known key stays valid, at once, for the stated time', async () => {
      const { enter, failures } = open(2 * HOUR_MS);
      assert.equal(await enter(await one.token()), 'in');
      answer = give;
      skip(11 * MINUTE_MS);
      assert.equal(await enter(await one.token()), 'in');
      if (trouble === 'no answer') assert.equal(failures.length, 0, 'it waited for the provider');
      skip(108 * MINUTE_MS);
      assert.equal(await enter(await one.token()), 'in');
      skip(2 * MINUTE_MS);
      assert.equal(await enter(await one.token()), 'KeysUnavailable');
      assert.ok(failures.length > 0);
      skip(MINUTE_MS);
      answer = publish(one.jwk);
      assert.equal(await enter(await one.token()), 'in');
    });

    test('a token of an unknown key is refused for now, and accepted afterwards', async () => {
      const { enter } = open();
      assert.equal(await enter(await one.token()), 'in');
      answer = give;
      skip(MINUTE_MS);
      assert.equal(await enter(await two.token()), 'KeysUnavailable');
      answer = publish(one.jwk, two.jwk);
      skip(MINUTE_MS);
      assert.equal(await enter(await two.token()), 'in');
    });

    test('a start without keys is a temporary condition', async () => {
      const { enter } = open();
      answer = give;
      assert.equal(await enter(await one.token()), 'KeysUnavailable');
      answer = publish(one.jwk);
      skip(MINUTE_MS);
      assert.equal(await enter(await one.token()), 'in');
    });
  });
}

test('a new key is accepted although another unknown key was just looked up', async () => {
  const { enter } = open();
  assert.equal(await enter(await one.token()), 'in');
  const strange = enter(await bogus.token());
  answer = publish(one.jwk, two.jwk);
  assert.equal(await enter(await two.token()), 'in');
  // The key set was fetched after this token arrived, so the refusal is final.
  assert.equal(await strange, 'JWKSNoMatchingKey');
  assert.equal(fetches, 2);
});

test('invented key ids share one fetch', async () => {
  const { enter } = open();
  assert.equal(await enter(await one.token()), 'in');
  skip(MINUTE_MS);
  const strangers = await Promise.all(Array.from({ length: 50 }, async () => enter(await bogus.token())));
  assert.deepEqual(new Set(strangers), new Set(['JWKSNoMatchingKey']));
  assert.ok(fetches <= 3, `${fetches} fetches`);
});

describe('while clients keep inventing key ids', () => {
  let invented = 0;
  /** The signature does not matter: there is no key to check it with. */
  const inventToken = (from: string) => {
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `invented-${invented++}` })).toString('base64url');
    return from.replace(/^[^.]*/, header);
  };

  test('a newly published key works after the next fetch, and known keys at once', async () => {
    const { enter } = open();
    const known = await one.token();
    assert.equal(await enter(known), 'in');
    skip(MINUTE_MS);
    const strangers: Array<Promise<string>> = [];
    const flood = setInterval(() => {
      for (let n = 0; n < 5; n++) strangers.push(enter(inventToken(known)));
    }, 20);
    try {
      for (let n = 0; n < 100 && fetches < 2; n++) await new Promise((resolve) => setTimeout(resolve, 20));
      answer = publish(one.jwk, two.jwk);
      const [before, waiting] = [fetches, enter(await two.token())];
      assert.equal(await enter(known), 'in');
      assert.equal(fetches, before, 'the known key waited');
      assert.equal(await waiting, 'in');
      // One fetch may already have been in flight with the older set.
      assert.ok(fetches - before <= 2, `${fetches - before} fetches`);
    } finally {
      clearInterval(flood);
    }
    assert.ok(strangers.length >= 10, `${strangers.length} tokens`);
    assert.deepEqual(new Set(await Promise.all(strangers)), new Set(['JWKSNoMatchingKey']));
  });

  test('a fetch of the older set in flight does not decide about a newer key', async () => {
    const { enter } = open();
    const known = await one.token();
    assert.equal(await enter(known), 'in');
    skip(MINUTE_MS);
    const held: ServerResponse[] = [];
    answer = (response) => held.push(response);
    const stranger = enter(inventToken(known));
    for (let n = 0; n < 100 && held.length === 0; n++) await new Promise((resolve) => setTimeout(resolve, 20));
    const waiting = enter(await two.token());
    answer = publish(one.jwk, two.jwk);
    for (const response of held) publish(one.jwk)(response);
    assert.equal(await stranger, 'JWKSNoMatchingKey');
    assert.equal(await waiting, 'in');
  });

  test('known keys work at once if the provider does not answer', async () => {
    const { enter, failures } = open();
    const known = await one.token();
    assert.equal(await enter(known), 'in');
    answer = troubles['no answer'] ?? assert.fail();
    skip(11 * MINUTE_MS);
    let refused = 0;
    const strangers = Array.from({ length: 200 }, async () => {
      const outcome = await enter(inventToken(known));
      refused++;
      return outcome;
    });
    for (let n = 0; n < 20; n++) assert.equal(await enter(known), 'in');
    assert.deepEqual([refused, failures.length], [0, 0], 'the known key waited');
    for (let n = 0; n < 100 && fetches < 2; n++) await new Promise((resolve) => setTimeout(resolve, 20));
    provider.closeAllConnections();
    assert.deepEqual(new Set(await Promise.all(strangers)), new Set(['KeysUnavailable']));
  });
});

test('a key that is missing in a newer set is refused for now; after 10 minutes, for good', async () => {
  const { enter } = open();
  answer = publish(one.jwk, two.jwk);
  assert.equal(await enter(await two.token()), 'in');
  answer = publish(one.jwk);
  skip(11 * MINUTE_MS);
  // Known keys are used while they are fetched again.
  assert.equal(await enter(await one.token()), 'in');
  for (let n = 0; n < 50 && fetches < 2; n++) await new Promise((resolve) => setTimeout(resolve, 20));
  skip(MINUTE_MS);
  assert.equal(await enter(await two.token()), 'KeysUnavailable');
  answer = publish(one.jwk, two.jwk);
  skip(MINUTE_MS);
  assert.equal(await enter(await two.token()), 'in');
  answer = publish(one.jwk);
  skip(MINUTE_MS);
  assert.equal(await enter(await bogus.token()), 'JWKSNoMatchingKey');
  skip(11 * MINUTE_MS);
  assert.equal(await enter(await two.token()), 'JWKSNoMatchingKey');
});

describe('a provider without key ids', () => {
  test('tries each matching key', async () => {
    const { enter } = open();
    answer = publish(one.withoutId, two.withoutId);
    assert.equal(await enter(await two.tokenWithoutId()), 'in');
    assert.equal(await enter(await one.tokenWithoutId()), 'in');
    skip(MINUTE_MS);
    assert.equal(await enter(await bogus.tokenWithoutId()), 'JWSSignatureVerificationFailed');
  });

  test('accepts its new key', async () => {
    const { enter } = open();
    answer = publish(one.withoutId);
    assert.equal(await enter(await one.tokenWithoutId()), 'in');
    answer = publish(two.withoutId);
    skip(MINUTE_MS);
    assert.equal(await enter(await two.tokenWithoutId()), 'in');
  });
});
