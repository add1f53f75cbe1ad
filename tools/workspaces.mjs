/**
 * The workspaces of the repository: which there are, which depend on which, and how they are
 * emitted as JavaScript.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files that modules load at run time, besides other modules. */
const ASSET = /\.lua$/;

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {Record<string, string>} [exports]
 * @property {Record<string, Record<string, string>>} [imports] by name and condition
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [devDependencies]
 * @property {boolean} [private]
 */

/** @param {string} root @param {string} folder @returns {Manifest} */
export const readManifest = (root, folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** @param {string} root @returns {string[]} folders, from the root, sorted */
export function listWorkspaces(root) {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folders = workspaces.flatMap((/** @type {string} */ pattern) => {
    if (!pattern.endsWith('/*')) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
  });
  return folders.filter((/** @type {string} */ folder) => existsSync(join(root, folder, 'package.json'))).sort();
}

/**
 * The given workspaces and all that they depend on in production.
 * @param {string} root
 * @param {readonly string[]} folders
 * @returns {string[]} folders, from the root, sorted
 */
export function withDependencies(root, folders) {
  const byName = new Map(listWorkspaces(root).map((folder) => [readManifest(root, folder).name, folder]));
  const found = new Set(folders);
  // A set that grows while we iterate over it: the loop also visits what it adds.
  for (const folder of found)
    for (const name of Object.keys(readManifest(root, folder).dependencies ?? {})) {
      const dependency = byName.get(name);
      if (dependency !== undefined) found.add(dependency);
    }
  return [...found].sort();
}

/**
 * Emits workspaces as JavaScript. The tree below `out` is the repository's, so that they find each
 * other as they do here. Types are not checked: `npm run check` does that.
 * @param {{root: string, out: string, folders: readonly string[], extra?: readonly string[],
 *   types?: boolean, toManifest: (manifest: Manifest) => object}} options `extra`: more files and
 *   folders to emit, from the root; `types`: with declarations; `toManifest` returns the
 *   package.json of an emitted workspace
 */
export function emitWorkspaces({ root, out, folders, extra = [], types = false, toManifest }) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const project = join(out, 'tsconfig.json');
  const sources = [...folders.map((folder) => `${folder}/src`), ...extra];
  const config = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: { declaration: types, outDir: out },
    include: sources.map((source) => join(root, source)),
  };
  writeFileSync(project, JSON.stringify(config));
  const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc failed');
  rmSync(project);
  for (const folder of folders) {
    copyAssets(join(root, folder, 'src'), join(out, folder, 'src'));
    const migrations = join(root, folder, 'migrations');
    if (existsSync(migrations)) cpSync(migrations, join(out, folder, 'migrations'), { recursive: true });
    const manifest = toManifest(readManifest(root, folder));
    mkdirSync(join(out, folder), { recursive: true });
    writeFileSync(join(out, folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

/** @param {string} from @param {string} to */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !ASSET.test(entry.name)) continue;
    const source = join(entry.parentPath, entry.name);
    cpSync(source, join(to, source.slice(from.length)));
  }
}

/**
 * `imports` with the emitted modules in place of their sources.
 * @param {Manifest} manifest
 */
export const emittedImports = ({ imports = {} }) =>
  Object.fromEntries(
    Object.entries(imports).map(([name, conditions]) => [
      name,
      Object.fromEntries(
        Object.entries(conditions).map(([condition, file]) => [condition, file.replace(/\.ts$/, '.js')]),
      ),
    ]),
  );

/**
 * The public entry points below src/, with the extension of the emitted files.
 * @param {Manifest} manifest
 * @param {string} extension
 */
export function emittedExports({ exports = {} }, extension) {
  const sources = Object.entries(exports).filter(([, file]) => file.startsWith('./src/'));
  return Object.fromEntries(sources.map(([name, file]) => [name, file.replace(/\.ts$/, extension)]));
}
