/**
 * What never imports what: apps → client → protocol ← services → service-kit. The compiler cannot say it, so this does, together with
 * the other rules of the house that a machine can read: who knows Socket.IO, who spells Redis keys, no cycles, no long files.
 *
 * It reads text, not types: TypeScript 7 has no compiler API, and imports are regular enough once comments are gone.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findCycles } from './check-cycles.mjs';
import { readImports } from './check-source.mjs';

const FILE_LINES_MAX = 320;
const SOURCE = /\.(ts|tsx|mts|mjs|js|lua)$/;
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'coverage']);
const UNIT_ROOTS = ['packages', 'services', 'apps'];

/** Which other units a unit may import. A unit that is not named here is not held to any. */
const MAY_IMPORT = /** @type {Array<[RegExp, RegExp, string]>} */ ([
  [/^packages\/protocol$/, /^$/, 'packages/protocol imports only zod'],
  [/^packages\/service-kit$/, /^$/, 'packages/service-kit holds no product code and imports none'],
  [/^packages\/redis-store$/, /^packages\/service-kit$/, 'packages/redis-store imports only packages/service-kit'],
  [/^packages\/client$/, /^packages\/protocol$/, 'packages/client imports only packages/protocol'],
  [/^apps\//, /^packages\/(client|protocol)$/, 'apps import only packages/client and packages/protocol'],
  [
    /^services\//,
    /^packages\/(protocol|redis-store|service-kit)$/,
    'services import only packages/protocol, packages/redis-store and packages/service-kit',
  ],
  [/^loadtest$/, /^packages\/protocol$/, 'loadtest imports only packages/protocol'],
  [/^tools$/, /^packages\/service-kit$/, 'tools import only packages/service-kit'],
  [
    /^tests$/,
    /^(packages\/(client|protocol|redis-store|service-kit)|tools)$/,
    'tests see the system from outside: packages and tools only',
  ],
]);

/** Here parts of several units are held together by tests, so here alone their insides may be reached. */
const JOINS_UNITS = /^tests\/(integration|kube)\//;

const SOCKET_IO = /^(socket\.io|socket\.io-adapter|socket\.io-parser|engine\.io|engine\.io-parser|@socket\.io\/.*)$/;
const KNOWS_SOCKET_IO = /^services\/gateway\/src\/edge\//;
const REDIS_KEY = /(^|[^\w:])maru:/;

/** Tests, and what stands in folders for them. */
const isTest = (/** @type {string} */ file) => /\.test\.\w+$|^tests\/|\/(test|testing|test-support)\//.test(file);

/** @param {string} folder @param {string} [prefix] @returns {string[]} paths from `folder`, with forward slashes */
function listSources(folder, prefix = '') {
  /** @type {string[]} */
  const files = [];
  for (const entry of readdirSync(path.join(folder, prefix), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || SKIPPED_FOLDERS.has(entry.name)) continue;
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) files.push(...listSources(folder, name));
    else if (SOURCE.test(entry.name)) files.push(name);
  }
  return files;
}

/** The unit a file belongs to: a package, service or app by two path segments, anything else by one. @param {string} file */
function unitOf(file) {
  const [top = '', second = ''] = file.split('/');
  return UNIT_ROOTS.includes(top) ? `${top}/${second}` : top;
}

/** @param {string} root @param {string} unit @returns {{name?: string, exports?: Record<string, string>, dependencies?: object, devDependencies?: object, optionalDependencies?: object}} */
function readManifest(root, unit) {
  const file = path.join(root, unit, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** The package part of a bare specifier: `@a/b/c` → `@a/b`, `x/y` → `x`. @param {string} specifier */
const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** @param {string} root @param {string} from @param {string} specifier @returns {string | undefined} an existing file, from the root */
function resolveRelative(root, from, specifier) {
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier.split('?')[0] ?? ''));
  return existsSync(path.join(root, target)) ? target : undefined;
}

/**
 * Checks the tree below `root`.
 * @param {{root: string}} options
 * @returns {{problems: string[], files: number}} each problem begins with `file:line: `
 */
export function checkImports({ root }) {
  const files = listSources(root);
  const units = new Set(files.map(unitOf));
  const manifests = new Map([...units].map((unit) => [unit, readManifest(root, unit)]));
  const unitByName = new Map([...manifests].map(([unit, manifest]) => [manifest.name ?? '', unit]));
  const rootManifest = readManifest(root, '.');
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, string[]>} */
  const graph = new Map();

  for (const file of files) {
    const source = readFileSync(path.join(root, file), 'utf8');
    const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0);
    if (lines > FILE_LINES_MAX) problems.push(`${file}:1: ${lines} lines; at most ${FILE_LINES_MAX}`);

    const unit = unitOf(file);
    const { imports, strings } = readImports(source, file.endsWith('.lua') ? 'lua' : 'js');
    if (unit.startsWith('services/') && !isTest(file) && path.posix.basename(file) !== 'keys.ts')
      for (const { value, line } of strings)
        if (REDIS_KEY.test(value)) problems.push(`${file}:${line}: only keys.ts spells Redis keys`);

    /** @type {string[]} */
    const edges = [];
    graph.set(file, edges);
    for (const { specifier, line } of imports) {
      const report = (/** @type {string} */ why) => problems.push(`${file}:${line}: ${specifier}: ${why}`);
      const target = followImport(root, file, specifier);
      if (target !== undefined) edges.push(target);
      checkImport(file, unit, specifier, report);
    }
  }
  for (const cycle of findCycles(graph)) problems.push(`${cycle[0]}:1: import cycle: ${cycle.join(' → ')}`);
  return { problems: problems.sort(), files: files.length };

  /** @param {string} root @param {string} file @param {string} specifier */
  function followImport(root, file, specifier) {
    if (specifier.startsWith('.')) return resolveRelative(root, file, specifier);
    const name = packageOf(specifier);
    const unit = unitByName.get(name);
    if (unit === undefined) return undefined;
    const entry = manifests.get(unit)?.exports?.[`.${specifier.slice(name.length)}`];
    return entry === undefined ? undefined : path.posix.join(unit, entry);
  }

  /** @param {string} file @param {string} unit @param {string} specifier @param {(why: string) => void} report */
  function checkImport(file, unit, specifier, report) {
    if (specifier.startsWith('node:')) {
      if (/^packages\/(protocol|client)$/.test(unit) && !isTest(file)) report('runs in browsers too, without Node');
      return;
    }
    if (specifier.startsWith('.')) {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
      if (unitOf(target) !== unit) checkUnits(file, unit, unitOf(target), report, 'by a relative path');
      return;
    }
    const name = packageOf(specifier);
    const target = unitByName.get(name);
    if (target !== undefined && target !== unit) checkUnits(file, unit, target, report);
    if (unit === 'packages/protocol' && !isTest(file) && name !== 'zod') report('packages/protocol imports only zod');
    if (unit === 'services/gateway' && !isTest(file) && SOCKET_IO.test(name) && !KNOWS_SOCKET_IO.test(file))
      report('only edge/ knows Socket.IO');
    if (!isDeclared(file, unit, name)) report(`${name} is not declared in ${unit}/package.json`);
  }

  /** @param {string} file @param {string} unit @param {string} target @param {(why: string) => void} report @param {string} [how] */
  function checkUnits(file, unit, target, report, how) {
    const rule = MAY_IMPORT.find(([from]) => from.test(unit));
    if (rule === undefined || JOINS_UNITS.test(file)) return;
    const [, allowed, why] = rule;
    // A test may hold two parts together, by their package names: a client of a service against the real one, say.
    if (!allowed.test(target) && !(isTest(file) && unit !== 'tests' && how === undefined)) report(why);
    else if (how !== undefined && unit !== 'tests') report(`reaches into ${target} ${how}; import the package`);
  }

  /** @param {string} file @param {string} unit @param {string} name */
  function isDeclared(file, unit, name) {
    if (unit === 'loadtest' && name === 'k6') return true;
    const own = manifests.get(unit);
    if (own?.name === name) return true;
    const all = [own?.dependencies, own?.devDependencies];
    // Tests, tools and anything without a manifest of its own live on the root's.
    if (isTest(file) || own?.name === undefined) all.push(rootManifest.devDependencies, rootManifest.dependencies);
    if (JOINS_UNITS.test(file)) all.push(...[...manifests.values()].map(({ dependencies }) => dependencies));
    if (unit === 'tests') return unitByName.has(name) || all.some((list) => list !== undefined && name in list);
    if (unit === 'tools') all.push(readManifest(root, 'tools/supervisor').dependencies);
    return all.some((list) => list !== undefined && name in list);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { problems, files } = checkImports({ root: path.resolve(process.argv[2] ?? '.') });
  for (const problem of problems) console.error(problem);
  console.log(`${files} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
