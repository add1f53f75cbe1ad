/**
 * Emits `@maru/client`, and the package that it depends on, as npm packages: JavaScript with type
 * declarations.
 *
 *   node tools/build-packages.mjs OUT [VERSION]
 *   npm publish OUT/packages/protocol && npm publish OUT/packages/client
 */
import { cpSync, existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emittedExports, emittedImports, emitWorkspaces, withDependencies } from './workspaces.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const REPOSITORY = process.env.GITHUB_REPOSITORY;

/**
 * @param {string} out
 * @param {string} [version] of all packages, instead of that in their package.json
 */
export function buildPackages(out, version) {
  const folders = withDependencies(ROOT, ['packages/client']);
  const pin = (/** @type {[string, string]} */ [name, range]) => [
    name,
    name.startsWith('@maru/') ? (version ?? range) : range,
  ];
  emitWorkspaces({
    root: ROOT,
    out,
    folders,
    types: true,
    toManifest: ({ private: _private, devDependencies: _, dependencies = {}, ...manifest }) => ({
      ...manifest,
      ...(version === undefined ? {} : { version }),
      ...(REPOSITORY === undefined ? {} : { repository: { type: 'git', url: `https://github.com/${REPOSITORY}.git` } }),
      dependencies: Object.fromEntries(Object.entries(dependencies).map(pin)),
      exports: withTypes(manifest),
      ...(manifest.imports === undefined ? {} : { imports: emittedImports(manifest) }),
      files: ['src', 'LICENSE', 'README.md'],
      publishConfig: { access: 'public' },
    }),
  });
  for (const folder of folders) {
    cpSync(join(ROOT, 'LICENSE'), join(out, folder, 'LICENSE'));
    const readme = join(ROOT, folder, 'README.md');
    if (existsSync(readme)) cpSync(readme, join(out, folder, 'README.md'));
  }
}

/** @param {import('./workspaces.mjs').Manifest} manifest */
function withTypes(manifest) {
  const types = emittedExports(manifest, '.d.ts');
  const modules = Object.entries(emittedExports(manifest, '.js'));
  return Object.fromEntries(modules.map(([name, file]) => [name, { types: types[name], default: file }]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out, version] = process.argv.slice(2);
  if (out === undefined) {
    console.error('usage: node tools/build-packages.mjs OUT [VERSION]');
    process.exit(2);
  }
  buildPackages(resolve(out), version);
}
