/**
 * Dependencies: none is older than the first version without a known vulnerability, and those of
 * production have permissive licences, which docs/licences.md lists.
 *
 *   node tools/check-dependencies.mjs [--root DIR] [--write]    `--write` renews docs/licences.md
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const LICENCES = 'docs/licences.md';
const DOCKERFILES = 'deploy/docker';

/** @typedef {Record<string, {version?: string, license?: string, link?: boolean, resolved?: string,
 *   dependencies?: Record<string, string>, peerDependencies?: Record<string, string>,
 *   peerDependenciesMeta?: Record<string, {optional?: boolean}>}>} Lock */

/**
 * The oldest version that may occur anywhere in the tree. Older ones have known vulnerabilities.
 */
const PACKAGE_FLOORS = {
  'socket.io-parser': '4.2.7',
  'engine.io': '6.6.12',
  ws: '8.21.0',
};

/** The oldest versions of images, the newest series first. Series in between are not maintained. */
const IMAGE_FLOORS = {
  redis: ['8.2.2', '7.4.6', '7.2.11'],
  nginx: ['1.30.4'],
};

/** The dependencies of these workspaces are part of the images and pages that we build. */
const PRODUCTION = /^(services\/[^/]+|packages\/client|apps\/web)$/;
/** Dependencies of apps/web that build the page but are not part of it. */
const BUILD_TOOLS = new Set(['vite', '@preact/preset-vite']);
/** Licences that are missing in the lock, because the package declares them in an older way. */
const DECLARED = /** @type {Record<string, string>} */ ({ 'xmlhttprequest-ssl': 'MIT' });
const PERMISSIVE = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0', 'BlueOak-1.0.0']);

/** @param {string} version */
const numbersOf = (version) => version.split('.').map(Number);

/**
 * Compares only as many numbers as `version` has: `8` is the newest of its series.
 * @param {string} version @param {string} floor
 */
function isAtLeast(version, floor) {
  const wanted = numbersOf(floor);
  for (const [index, number] of numbersOf(version).entries())
    if (number !== (wanted[index] ?? 0)) return number > (wanted[index] ?? 0);
  return true;
}

/** @param {string} version @param {readonly string[]} floors the newest series first */
function isSafeImage(version, floors) {
  if (isAtLeast(version, floors[0] ?? '0')) return true;
  const [major, minor] = numbersOf(version);
  const ofSeries = floors.find((floor) => numbersOf(floor)[0] === major && numbersOf(floor)[1] === minor);
  return ofSeries !== undefined && isAtLeast(version, ofSeries);
}

/** @param {Lock} lock @returns {string[]} problems */
export function oldPackages(lock) {
  return Object.entries(lock).flatMap(([place, { version = '0' }]) => {
    const name = place.split('node_modules/').at(-1) ?? '';
    const floor = /** @type {Record<string, string>} */ (PACKAGE_FLOORS)[name];
    return floor === undefined || !place.includes('node_modules/') || isAtLeast(version, floor)
      ? []
      : [`package-lock.json: ${name} ${version} has known vulnerabilities: ${floor} or newer is needed`];
  });
}

/** @param {string} file @param {string} text @returns {string[]} problems */
export function oldImages(file, text) {
  return Object.entries(IMAGE_FLOORS).flatMap(([name, floors]) => {
    const references = text.matchAll(new RegExp(`(?:^|[\\s=/"']|:-)${name}:(\\d+(?:\\.\\d+)*)`, 'gm'));
    return [...references].flatMap(([, version = '0']) =>
      isSafeImage(version, floors)
        ? []
        : [`${file}: ${name}:${version} has known vulnerabilities: ${floors.join(', ')} or newer is needed`],
    );
  });
}

/**
 * The packages that images and pages contain, with all that they need.
 * @param {Lock} lock
 * @returns {string[]} their places in the lock
 */
export function productionPackages(lock) {
  const found = new Set(Object.keys(lock).filter((place) => PRODUCTION.test(place)));
  for (const place of found) {
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = lock[place] ?? {};
    const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    const needed = [...Object.keys(dependencies), ...peers].filter(
      (name) => !(PRODUCTION.test(place) && BUILD_TOOLS.has(name)),
    );
    for (const name of needed) {
      const at = placeOf(lock, place, name);
      if (at !== undefined) found.add(lock[at]?.link === true ? (lock[at]?.resolved ?? at) : at);
    }
  }
  return [...found].filter((place) => place.includes('node_modules/')).sort();
}

/**
 * As Node.js looks for it: from the innermost folder outwards.
 * @param {Lock} lock @param {string} from @param {string} name
 */
function placeOf(lock, from, name) {
  for (let folder = from; ; folder = folder.replace(/(^|\/)[^/]*$/, '')) {
    const place = `${folder}${folder === '' ? '' : '/'}node_modules/${name}`;
    if (lock[place] !== undefined) return place;
    if (folder === '') return undefined;
  }
}

/** @param {Lock} lock */
function licensesOf(lock) {
  return productionPackages(lock).map((place) => {
    const name = place.split('node_modules/').at(-1) ?? place;
    const { version = '', license } = lock[place] ?? {};
    return { name, version, licence: license ?? DECLARED[name] ?? 'unknown' };
  });
}

/** @param {Lock} lock @returns {string[]} problems */
export function unwantedLicences(lock) {
  return licensesOf(lock)
    .filter(({ licence }) => !licence.split(/ OR |[()]/).some((choice) => PERMISSIVE.has(choice)))
    .map(({ name, version, licence }) => `package-lock.json: ${name} ${version} has the licence ${licence}`);
}

/** @param {Lock} lock @returns {string} the page that lists the licences */
export function renderLicences(lock) {
  /** @type {Map<string, Set<string>>} */
  const groups = new Map();
  for (const { name, version, licence } of licensesOf(lock))
    groups.set(licence, (groups.get(licence) ?? new Set()).add(`- ${name} ${version}`));
  const sections = [...groups].sort().map(([licence, lines]) => `## ${licence}\n${[...lines].sort().join('\n')}\n`);
  return `# Licences of dependencies

Written by \`node tools/check-dependencies.mjs --write\`. These packages are in the images of the services, in the web
client or in \`@maru/client\`. Their texts are in \`node_modules\` of the images, and at \`/licences.txt\` for the web client.
The images also contain Node.js (\`/usr/share/doc/node/copyright\`), nginx (BSD-2-Clause), PostgreSQL (PostgreSQL License) or
Redis, whose licence depends on its version.

${sections.join('\n')}`;
}

/** @param {{root: string, write: boolean}} options @returns {string[]} problems */
export function checkDependencies({ root, write }) {
  const read = (/** @type {string} */ file) => readFileSync(path.join(root, file), 'utf8');
  const isThere = (/** @type {string} */ file) => existsSync(path.join(root, file));
  if (!isThere('package-lock.json')) return [];
  /** @type {Lock} */
  const lock = JSON.parse(read('package-lock.json')).packages;
  const dockerfiles = isThere(DOCKERFILES)
    ? readdirSync(path.join(root, DOCKERFILES)).filter((file) => file.endsWith('Dockerfile'))
    : [];
  const files = [...dockerfiles.map((file) => `${DOCKERFILES}/${file}`), 'docker-compose.yml'].filter(isThere);
  const page = renderLicences(lock);
  if (write) writeFileSync(path.join(root, LICENCES), page);
  return [
    ...oldPackages(lock),
    ...files.flatMap((file) => oldImages(file, read(file))),
    ...unwantedLicences(lock),
    ...(isThere(LICENCES) && read(LICENCES) === page
      ? []
      : [`${LICENCES} is older than package-lock.json: node tools/check-dependencies.mjs --write`]),
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flag = process.argv.indexOf('--root');
  const root = path.resolve(flag === -1 ? path.join(here, '..') : (process.argv[flag + 1] ?? '.'));
  const problems = checkDependencies({ root, write: process.argv.includes('--write') });
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
