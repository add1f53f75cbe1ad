import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Misuse, parseKubeOptions } from './options.ts';
import { candidateUrls } from './site.ts';

test('options are accepted with and without an equals sign', () => {
  const args = [
    '--url=https://chat.test/',
    '--clients',
    '50',
    '--load-images',
    'kind load docker-image',
    '--only=a,b',
    '--keep',
  ];
  assert.deepEqual(parseKubeOptions(args), {
    url: 'https://chat.test',
    clients: 50,
    rate: 40,
    loadImages: ['kind', 'load', 'docker-image'],
    only: ['a', 'b'],
    keep: true,
  });
});

test('unknown options and invalid values are refused', () => {
  for (const args of [['--url', 'chat'], ['--clients', '1'], ['--rate', 'x'], ['--url'], ['--fast', '1']])
    assert.throws(() => parseKubeOptions(args), Misuse, args.join(' '));
});

test('the address of the public Service is its load balancer, else its node port', () => {
  const nodes = {
    items: [
      {
        status: {
          addresses: [
            { type: 'InternalIP', address: '10.0.0.5' },
            { type: 'Hostname', address: 'n' },
          ],
        },
      },
    ],
  };
  const service = (ingress: Array<{ ip: string }>) => ({
    spec: { ports: [{ port: 80, nodePort: 30080 }] },
    status: { loadBalancer: { ingress } },
  });
  assert.deepEqual(candidateUrls(service([]), nodes), ['http://127.0.0.1:30080', 'http://10.0.0.5:30080']);
  assert.equal(candidateUrls(service([{ ip: '192.0.2.1' }]), nodes)[0], 'http://192.0.2.1:80');
});
