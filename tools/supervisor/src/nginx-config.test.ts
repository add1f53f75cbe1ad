import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../bootstrap/root.mjs';
import { makeTempDir, requireProgram } from '../test-support/cluster-under-test.ts';
import { type BalancedNode, isAwkwardPath, type NginxSettings, renderNginxConfig } from './nginx-config.ts';

const TEMPLATE = readFileSync(join(ROOT, 'deploy/nginx.conf'), 'utf8');
const settings: NginxSettings = {
  host: '',
  port: 8080,
  ipv6: true,
  controlPort: 20_001,
  runDirectory: '/data/with space/nginx',
  webRoot: '/clone/apps/web/dist',
  workers: 2,
  filesMax: 20_000,
  rootUser: null,
  trustedProxies: [],
  connectOrigins: [],
};
const render = (nodes: BalancedNode[], changed: Partial<NginxSettings> = {}) =>
  renderNginxConfig(TEMPLATE, { settings: { ...settings, ...changed }, nodes, generation: 7 });

describe('the configuration of nginx', () => {
  it('routes sessions by the node in their id, and new sessions to nodes that accept them', () => {
    const text = render([
      { name: 'gateway-1', port: 21_001, takes: 'all' },
      { name: 'gateway-2', port: 21_002, takes: 'own' },
    ]);
    assert.match(text, /"~\^gateway-1\\\." node_gateway-1;\n +"~\^gateway-2\\\." node_gateway-2;/);
    const upstream = /upstream gateways \{([\s\S]*?)\}/.exec(text)?.[1] ?? '';
    assert.match(upstream, /server 127\.0\.0\.1:21001 max_fails=0/);
    assert.doesNotMatch(upstream, /21002/);
    assert.match(text, /upstream node_gateway-2 \{\n +server 127\.0\.0\.1:21002;/);
  });

  it('does not confuse gateway-1 with gateway-10', () => {
    const pattern = /"~(\^gateway-1[^"]*)"/.exec(render([{ name: 'gateway-1', port: 1, takes: 'all' }]))?.[1];
    assert.ok(pattern !== undefined);
    assert.match('gateway-1.abc', new RegExp(pattern));
    assert.doesNotMatch('gateway-10.abc', new RegExp(pattern));
  });

  it('listens on the given address and port', () => {
    assert.match(render([]), /\n +listen 8080;\n +listen \[::\]:8080;\n/);
    assert.doesNotMatch(render([], { ipv6: false }), /\[::\]/);
    assert.match(render([], { host: '192.0.2.1' }), /\n +listen 192\.0\.2\.1:8080;\n/);
    assert.match(render([], { host: '2001:db8::1' }), /\n +listen \[2001:db8::1\]:8080;\n/);
  });

  it('limits the connections to the available descriptors', () => {
    assert.match(render([], { filesMax: 1_024 }), /worker_connections 960;/);
    assert.match(render([], { filesMax: 1_000_000 }), /worker_connections 32768;/);
  });

  it('replaces every placeholder, and rejects an unknown one', () => {
    assert.doesNotMatch(render([]), /\{\{/);
    assert.throws(() => renderNginxConfig('{{NEW}}', { settings, nodes: [], generation: 1 }), /unknown placeholder/);
  });

  it('rejects paths that nginx would misread', () => {
    assert.equal(isAwkwardPath('/home/mina/my clone'), false);
    for (const path of ['/a$b', '/a"b', '/a{b', '/a\nb']) assert.equal(isAwkwardPath(path), true);
  });

  it('is valid for nginx, with many gateways and with none', () => {
    const temp = makeTempDir();
    const rootUser = process.getuid?.() === 0 ? 'root' : null;
    const many = Array.from(
      { length: 64 },
      (_, index): BalancedNode => ({
        name: `gateway-${index + 1}`,
        port: 21_000 + index,
        takes: index % 5 === 0 ? 'own' : 'all',
      }),
    );
    for (const nodes of [[], many]) {
      const path = join(temp.path, 'nginx.conf');
      writeFileSync(path, render(nodes, { runDirectory: temp.path, webRoot: temp.path, rootUser }));
      const { status, stderr } = spawnSync(
        requireProgram('nginx'),
        ['-p', temp.path, '-c', path, '-e', 'stderr', '-t', '-q'],
        { encoding: 'utf8' },
      );
      assert.equal(stderr, '');
      assert.equal(status, 0);
    }
    temp.remove();
  });
});
