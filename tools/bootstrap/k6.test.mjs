import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from './failure.mjs';
import { builtK6Path, ensureK6, findK6, NO_K6_EXIT_CODE } from './k6.mjs';

const folder = mkdtempSync(join(tmpdir(), 'maru-k6-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A program that is a shell script. @param {string} file @param {string} script */
function writeProgram(file, script) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A clone, and a PATH with the programs of a test first. */
function createPlace() {
  const place = join(folder, String(++count));
  const bin = join(place, 'bin');
  mkdirSync(bin, { recursive: true });
  /** @type {string[]} */
  const reported = [];
  const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}`, MARU_K6: '' };
  return {
    root: join(place, 'clone'),
    bin,
    environment,
    reported,
    say: (/** @type {string} */ line) => reported.push(line),
  };
}

/** @param {string} version */
const k6Script = (version) => `echo "k6 v${version} (go1.26.8, linux/amd64)"`;

/** A Go that "builds" a k6 by writing a script to the output path. */
const GO_SCRIPT = `
case "$1" in
  version) echo "go version go1.26.8 linux/amd64" ;;
  get) echo "$PWD" >> "$(dirname "$0")/builds"; grep -q '^module ' go.mod ;;
  build) printf '#!/bin/sh\\necho "k6 v2.2.0 (built)"\\n' > "$3" && chmod 755 "$3" ;;
esac`;

/** @param {unknown} error */
const isNoK6 = (error) =>
  error instanceof Failure && error.exitCode === NO_K6_EXIT_CODE && /go\.dev/.test(error.message);

test('MARU_K6 has priority, and must be a recent k6', async () => {
  const { root, bin, environment } = createPlace();
  const named = writeProgram(join(bin, 'mine'), k6Script('2.1.0'));
  assert.deepEqual(await findK6({ root, environment: { ...environment, MARU_K6: named } }), { k6: named });
  const old = writeProgram(join(bin, 'old'), k6Script('1.7.0'));
  for (const wrong of [old, '/bin/true', join(bin, 'absent')])
    await assert.rejects(findK6({ root, environment: { ...environment, MARU_K6: wrong } }), isNoK6);
});

test('a recent k6 on the PATH is used; instead of an old one, the built k6 is used', async () => {
  const { root, bin, environment } = createPlace();
  const onPath = writeProgram(join(bin, 'k6'), k6Script('2.9.1'));
  assert.deepEqual(await findK6({ root, environment }), { k6: onPath });
  writeProgram(onPath, k6Script('1.7.0'));
  assert.deepEqual(await findK6({ root, environment }), { k6: null, why: 'The k6 on the PATH is 1.7.0' });
  const built = writeProgram(builtK6Path(root), k6Script('2.2.0'));
  assert.deepEqual(await findK6({ root, environment }), { k6: built });
});

test('a missing k6 is built once, even for several callers, and leaves no other files', async () => {
  const { root, bin, environment, reported, say } = createPlace();
  writeProgram(join(bin, 'k6'), 'exit 1');
  writeProgram(join(bin, 'go'), GO_SCRIPT);
  await assert.rejects(ensureK6({ root, environment, mayBuild: false, say }), isNoK6);
  const asking = { root, environment, mayBuild: true, say };
  const [built, again] = await Promise.all([ensureK6(asking), ensureK6(asking)]);
  assert.equal(built, again);
  assert.equal(readFileSync(join(bin, 'builds'), 'utf8').trim().split('\n').length, 1);
  assert.equal(built, builtK6Path(root));
  assert.deepEqual(readdirSync(dirname(dirname(built))), ['k6-2.2.0']);
  assert.deepEqual(readdirSync(dirname(built)), ['k6']);
  assert.match(reported.join('\n'), /compiling[\s\S]*is built/);
  reported.length = 0;
  assert.equal(await ensureK6(asking), built);
  assert.deepEqual(reported, []);
});

test('sources that cannot be fetched at first are fetched again', async () => {
  const { root, bin, environment, reported, say } = createPlace();
  writeProgram(join(bin, 'k6'), 'exit 1');
  const failsOnce = `test "$1" != get || test -e "$(dirname "$0")/tried" || { touch "$(dirname "$0")/tried"; exit 1; }`;
  writeProgram(join(bin, 'go'), `${failsOnce}\n${GO_SCRIPT}`);
  assert.equal(await ensureK6({ root, environment, mayBuild: true, say }), builtK6Path(root));
  assert.match(reported.join('\n'), /fetching the sources failed; trying again/);
});

test('a failed build shows the reason and the alternatives, and leaves no files', async () => {
  const { root, bin, environment, say } = createPlace();
  writeProgram(join(bin, 'k6'), 'exit 1');
  writeProgram(
    join(bin, 'go'),
    'test "$1" = version && echo "go version go1.26.8" || { echo "no network" >&2; exit 1; }',
  );
  await assert.rejects(
    ensureK6({ root, environment, mayBuild: true, say }),
    (error) => isNoK6(error) && error instanceof Error && error.message.includes('no network'),
  );
  assert.equal(existsSync(builtK6Path(root)), false);
  assert.deepEqual(readdirSync(dirname(dirname(builtK6Path(root)))), []);
});
