/**
 * The limit by address in nginx: which requests count as handshakes, for any spelling.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type Nginx, startNginx } from '../support/nginx.ts';

/** A fake gateway that answers every request. */
const gateway = createServer((_request, response) => response.end('taken'));
let edge: Nginx;

// A limit of one, so that the next handshake exceeds it.
function narrow(configuration: string): string {
  const changed = configuration
    .replaceAll('rate=500r/s', 'rate=1r/m')
    .replaceAll('burst=1000 nodelay', 'burst=1 nodelay');
  assert.equal(changed.match(/rate=1r\/m|burst=1 nodelay/g)?.length, 3);
  return changed;
}

before(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  edge = await startNginx({ gatewayPorts: [(gateway.address() as AddressInfo).port], adapt: narrow });
  for (const transport of ['polling', 'websocket']) await statusOf(`EIO=4&transport=${transport}`);
});
after(async () => {
  await edge?.stop();
  gateway.close();
  gateway.closeAllConnections();
});

const statusOf = async (query: string): Promise<number> => (await fetch(`${edge.url}/socket.io/?${query}`)).status;

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
