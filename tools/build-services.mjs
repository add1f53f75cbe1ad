/**
 * Emits the services as JavaScript, for images: `node tools/build-services.mjs OUT`. The tree below OUT is the repository's, so that the
 * workspaces find each other as they do here; Lua scripts stand beside the modules that load them. Types are checked by `npm run check`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** The workspaces that services consist of. */
const PACKAGES = [
  'packages/protocol',
  'packages/service-kit',
  'packages/redis-store',
  'services/gateway',
  'services/presence',
];
/** What modules load at run time, besides other modules. */
const ASSET = /\.lua$/;

/** @param {string} out */
export function buildServices(out) {
  rmSync(out, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { status } = spawnSync(tsc, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', out], { stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc failed');
  for (const folder of PACKAGES) {
    copyAssets(join(ROOT, folder, 'src'), join(out, folder, 'src'));
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    mkdirSync(join(out, folder), { recursive: true });
    writeFileSync(join(out, folder, 'package.json'), `${JSON.stringify(emittedManifest(manifest), null, 2)}\n`);
  }
}

/**
 * A workspace's manifest as it is beside emitted files: its exports name them.
 * @param {{exports?: Record<string, string>, devDependencies?: unknown}} manifest
 */
export function emittedManifest({ devDependencies: _, ...manifest }) {
  const exported = Object.entries(manifest.exports ?? {}).filter(([, file]) => file.startsWith('./src/'));
  return {
    ...manifest,
    exports: Object.fromEntries(exported.map(([name, file]) => [name, file.replace(/\.ts$/, '.js')])),
  };
}

/** @param {string} from @param {string} to */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !ASSET.test(entry.name)) continue;
    const source = join(entry.parentPath, entry.name);
    cpSync(source, join(to, source.slice(from.length)));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2];
  if (out === undefined) {
    console.error('usage: node tools/build-services.mjs OUT');
    process.exit(2);
  }
  buildServices(resolve(out));
}
