/** A small repository in a temporary folder, for tests that violate one of its rules. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const WORKSPACES = {
  'packages/protocol': ['zod', 'lodash'],
  'packages/service-kit': ['pino', '@maru/protocol'],
  'packages/client': ['@maru/protocol', '@maru/service-kit'],
  'apps/web': ['@maru/client', '@maru/gateway'],
  'services/gateway': ['@maru/protocol', '@maru/service-kit', '@maru/presence', 'socket.io'],
  'services/presence': ['@maru/protocol'],
};
const LIBRARIES = ['zod', 'lodash', 'pino', 'socket.io', 'fast-check', 'express'];

/** Files without violations, one for each case that a rule allows. */
const GOOD_FILES: Record<string, string> = {
  'package.json': JSON.stringify({ name: 'root', devDependencies: { 'fast-check': '1' }, workspaces: ['*/*'] }),
  'packages/protocol/src/index.ts': "import { z } from 'zod';\nexport const a = z;\n",
  'packages/service-kit/src/index.ts': "import { pino } from 'pino';\nexport const log = pino;\n",
  'packages/client/src/index.ts': "export * from '@maru/protocol';\n",
  'apps/web/src/index.ts': "export * from '@maru/client';\n",
  'services/gateway/src/index.ts': "import '@maru/service-kit';\nimport './keys.ts';\nimport './edge/io.ts';\n",
  'services/gateway/src/keys.ts': 'export const key = (room: string) => `maru:{$' + '{room}}:log`;\n',
  'services/gateway/src/edge/io.ts': "import type { Socket } from 'socket.io';\nexport type S = Socket;\n",
  'services/gateway/src/rooms/rooms.ts': "import '../edge/io.ts';\n",
  'services/gateway/src/rooms/rooms.test.ts':
    "import 'fast-check';\nimport '@maru/presence';\nconst key = 'maru:{a}:log';\n",
  'services/presence/src/index.ts': "export * from '@maru/protocol';\n",
  'tests/integration/good.test.ts': "import '../../services/gateway/src/keys.ts';\nimport 'socket.io';\n",
};

/** Writes the good files with `changes` over them. The caller removes the folder. */
export function plantTree(changes: Record<string, string>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'maru-check-'));
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  for (const [workspace, names] of Object.entries(WORKSPACES)) {
    const name = `@maru/${path.basename(workspace)}`;
    const dependencies = Object.fromEntries(names.map((dependency) => [dependency, '1']));
    write(`${workspace}/package.json`, JSON.stringify({ name, exports: { '.': './src/index.ts' }, dependencies }));
    mkdirSync(path.join(root, 'node_modules/@maru'), { recursive: true });
    symlinkSync(path.join(root, workspace), path.join(root, 'node_modules', name));
  }
  for (const name of LIBRARIES) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  symlinkSync(path.join(REPOSITORY, 'node_modules/.bin'), path.join(root, 'node_modules/.bin'));
  for (const [name, text] of Object.entries({ ...GOOD_FILES, ...changes })) write(name, text);
  return root;
}

export const removeTree = (root: string) => rmSync(root, { recursive: true, force: true });
