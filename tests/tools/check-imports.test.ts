import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkImports } from '../../tools/check-imports.mjs';
import { checkKeys } from '../../tools/check-keys.mjs';
import { plantTree, removeTree } from './planted-tree.ts';

/** Each violation: its description, its file, its text, and the beginning of the report. */
const VIOLATIONS: Array<[what: string, file: string, text: string, report: string]> = [
  [
    'protocol imports a library other than zod',
    'packages/protocol/src/library.ts',
    "import l from 'lodash';\nexport { l };\n",
    'packages/protocol/src/library.ts → node_modules/lodash/index.js: protocol-uses-zod-only',
  ],
  [
    'protocol imports Node',
    'packages/protocol/src/node.ts',
    "import 'node:fs';\n",
    'packages/protocol/src/node.ts → fs: runs-in-browsers',
  ],
  [
    'service-kit imports product code, as a type',
    'packages/service-kit/src/product.ts',
    "import type { A } from '@maru/protocol';\nexport type B = A;\n",
    'packages/service-kit/src/product.ts → packages/protocol/src/index.ts: packages-service-kit-imports',
  ],
  [
    'client imports service-kit',
    'packages/client/src/kit.ts',
    "export * from '@maru/service-kit';\n",
    'packages/client/src/kit.ts → packages/service-kit/src/index.ts: packages-client-imports',
  ],
  [
    'an app imports a service',
    'apps/web/src/service.ts',
    "export * from '@maru/gateway';\n",
    'apps/web/src/service.ts → services/gateway/src/index.ts: apps-imports',
  ],
  [
    'a service imports another by name',
    'services/gateway/src/by-name.ts',
    "export * from '@maru/presence';\n",
    'services/gateway/src/by-name.ts → services/presence/src/index.ts: services-imports',
  ],
  [
    'a test of a service imports another service by path',
    'services/gateway/src/by-path.test.ts',
    "import '../../presence/src/index.ts';\n",
    'services/gateway/src/by-path.test.ts → services/presence/src/index.ts: by-package-name',
  ],
  [
    'a package is imported by a relative path',
    'services/gateway/src/relative.ts',
    "export * from '../../../packages/protocol/src/index.ts';\n",
    'services/gateway/src/relative.ts → packages/protocol/src/index.ts: by-package-name',
  ],
  [
    'an end-to-end test imports a service',
    'tests/e2e/inside.test.ts',
    "import '../../services/gateway/src/index.ts';\n",
    'tests/e2e/inside.test.ts → services/gateway/src/index.ts: tests-imports',
  ],
  [
    'Socket.IO is imported outside edge/',
    'services/gateway/src/rooms/socket.ts',
    "import type {\n  Socket,\n} from 'socket.io';\nexport type S = Socket;\n",
    'services/gateway/src/rooms/socket.ts → node_modules/socket.io/index.js: socket-io-in-edge-only',
  ],
  [
    'Socket.IO is loaded dynamically outside edge/',
    'services/gateway/src/rooms/dynamic.ts',
    "export const io = await import('socket.io');\n",
    'services/gateway/src/rooms/dynamic.ts → node_modules/socket.io/index.js: socket-io-in-edge-only',
  ],
  [
    'a dependency is not declared',
    'services/presence/src/undeclared.ts',
    "import express from 'express';\nexport { express };\n",
    'services/presence/src/undeclared.ts → node_modules/express/index.js: declared',
  ],
  [
    'production code imports a development dependency',
    'services/presence/src/development.ts',
    "import 'fast-check';\n",
    'services/presence/src/development.ts → node_modules/fast-check/index.js: declared-for-production',
  ],
  [
    'an import leads nowhere',
    'services/presence/src/nowhere.ts',
    "import './absent.ts';\n",
    'services/presence/src/nowhere.ts → ./absent.ts: resolvable',
  ],
];

describe('an import rule is broken when', () => {
  let root: string;
  let problems: string[];
  before(async () => {
    const files = Object.fromEntries(VIOLATIONS.map(([, file, text]) => [file, text]));
    root = plantTree({
      ...files,
      'services/presence/src/a.ts': "export * from './b.ts';\n",
      'services/presence/src/b.ts': "export * from './a.ts';\n",
      'services/gateway/src/edge/up.ts': "import '../log/log.ts';\n",
      'services/gateway/src/log/log.ts': "import '../edge/io.ts';\n",
      'services/gateway/src/ignored.ts': "/* import '@maru/presence'; */\nexport const text = `import 'socket.io'`;\n",
    });
    problems = (await checkImports({ root })).problems;
  });
  after(() => removeTree(root));

  /** Removes the report, so that the last test sees only unexpected ones. */
  const take = (report: string) => {
    const found = problems.filter((problem) => problem.startsWith(`${report}: `));
    assert.equal(found.length, 1, `${report}\n  not once in:\n${problems.join('\n')}`);
    problems = problems.filter((problem) => !found.includes(problem));
  };

  for (const [what, , , report] of VIOLATIONS) test(what, () => take(report));

  test('two files import each other', () => {
    take('services/presence/src/a.ts → services/presence/src/b.ts → services/presence/src/a.ts: no-file-cycle');
  });

  test('two folders of the gateway import each other', () => {
    const [edge, log] = ['services/gateway/src/edge', 'services/gateway/src/log'];
    take(`${edge} → ${log} → ${edge}: no-folder-circle`);
    take(`${log} → ${edge} → ${log}: no-folder-circle`);
  });

  test('no other import is reported', () => {
    assert.deepEqual(problems, []);
  });
});

describe('keys of Redis', () => {
  const keysIn = (changes: Record<string, string>) => {
    const root = plantTree(changes);
    try {
      return checkKeys({ root });
    } finally {
      removeTree(root);
    }
  };

  test('are allowed in keys.ts and in tests', () => {
    assert.deepEqual(keysIn({}), []);
  });

  test('are reported in other modules and in scripts, but not in comments', () => {
    const problems = keysIn({
      'services/presence/src/x.ts': '// a comment may say `maru:x`\nexport const key = `maru:presence:$' + '{1}`;\n',
      'services/presence/src/x.lua': "-- 'maru:x' in a comment\nredis.call('GET', 'maru:x')\n",
    });
    assert.deepEqual(problems.sort(), [
      'services/presence/src/x.lua:2: only keys.ts spells Redis keys',
      'services/presence/src/x.ts:2: only keys.ts spells Redis keys',
    ]);
  });
});
