/**
 * The limit by address in nginx: which requests count as handshakes, for any spelling.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findFreePort } from '@maru/service-kit/testing';
import { renderNginxConfig } from '../../tools/supervisor/src/nginx-config.ts';
import { repository } from '../support/cluster.ts';
import { poll } from '../support/poll.ts';

/** Replaces a gateway: answers every request. */
const gateway = createServer((_request, response) => response.end('taken'));
const directory = mkdtempSync(join(tmpdir(), 'maru-edge-'));
let nginx: ChildProcess | undefined;
let edge: string;

before(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const [port, controlPort] = [await findFreePort(), await findFreePort()];
  const rendered = renderNginxConfig(readFileSync(join(repository, 'deploy/nginx.conf'), 'utf8'), {
    settings: {
      host: '127.0.0.1',
      port,
      ipv6: false,
      controlPort,
      runDirectory: directory,
      webRoot: directory,
      workers: 1,
      filesMax: 1_024,
      rootUser: process.getuid?.() === 0 ? 'root' : null,
    },
    nodes: [{ name: 'gateway-1', port: (gateway.address() as AddressInfo).port, takes: 'all' }],
    generation: 1,
  });
  // A limit of one, so that the next handshake exceeds it.
  const narrow = rendered.replaceAll('rate=500r/s', 'rate=1r/m').replaceAll('burst=1000 nodelay', 'burst=1 nodelay');
  assert.equal(narrow.match(/rate=1r\/m|burst=1 nodelay/g)?.length, 3);
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(configuration, narrow);
  nginx = spawn('nginx', ['-e', 'stderr', '-c', configuration], { stdio: 'ignore' });
  edge = `http://127.0.0.1:${port}`;
  await poll('nginx to answer', async () =>
    fetch(`http://127.0.0.1:${controlPort}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  for (const transport of ['polling', 'websocket']) await statusOf(`EIO=4&transport=${transport}`);
});
after(async () => {
  if (nginx !== undefined && nginx.exitCode === null) {
    const ended = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await ended;
  }
  gateway.close();
  gateway.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

const statusOf = async (query: string): Promise<number> => (await fetch(`${edge}/socket.io/?${query}`)).status;

test('every request that a gateway treats as a handshake is counted, for any spelling of the query', async () => {
  // The gateway uses the last of several sids, after decoding, in lower case only, and treats an
  // empty one like none.
  const spellings = ['', '&SID=x', '&sid=', '&sid', '&sid=x&sid=', '&sid=x&sid', '&sid=x&%73id=', '&sid=x&SID=y'];
  for (const transport of ['polling', 'websocket'])
    for (const spelling of spellings) {
      const query = `EIO=4&transport=${transport}${spelling}`;
      assert.equal(await statusOf(query), 429, query);
    }
});

test('requests of a session are not counted', async () => {
  const queries = [
    'EIO=4&transport=polling&t=Pq0x_-1&sid=gateway-1.Xk3_-AAAB',
    'EIO=4&transport=websocket&sid=gateway-1.Xk3_-AAAB',
    'sid=gateway-1.Xk3_-AAAB&EIO=4&transport=polling',
    'from=a%20page&sidebar&EIO=4&transport=polling&sid=gateway-1.Xk3_-AAAB&t=1',
  ];
  for (const query of [...queries, ...queries]) assert.equal(await statusOf(query), 200, query);
});
