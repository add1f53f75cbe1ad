import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startCluster } from '../support/cluster.ts';
import { SECRET } from '../support/gateways.ts';
import { mintToken } from '../support/tokens.ts';

test('npm start reads the secret from a file instead of generating one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'maru-secret-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'jwt');
  writeFileSync(file, `${SECRET}\n`);
  const cluster = await startCluster({ gateways: 1, env: { MARU_JWT_SECRET: '', MARU_JWT_SECRET_FILE: file } });
  t.after(() => cluster.stop());
  const token = mintToken(SECRET, { sub: 'mina', name: 'Mina' });
  const { status } = await fetch(`${cluster.endpoint}/api/v1/rooms`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(status, 200);
});
