/**
 * Builds all overlays of deploy/k8s, and the production overlay with each component and with all of
 * them. Checks the results with kubeconform (schemas) and kube-score (good practice) if they are
 * installed. Lines that begin with `skipped: ` name the checks that did not run. Our own rules are
 * in tests/kube/rules.ts.
 *
 *   node tools/check-manifests.mjs [--root DIR]
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findProgram } from './bootstrap/find-program.mjs';

const BUILD_DEADLINE_MS = 60_000;
const OUTPUT_BYTES_MAX = 8 * 1_048_576;
const here = path.dirname(fileURLToPath(import.meta.url));

/** Rules of the linter that we deliberately do not follow. */
const LINTER_ARGUMENTS = [
  // CPU limits cause throttling, which shows as latency.
  '--ignore-container-cpu-limit',
  // Our images use user ids below 10,000. Their tags and digests never move.
  '--ignore-test=container-security-context-user-group-id',
  '--ignore-test=container-image-pull-policy',
  // Topology constraints spread the pods.
  '--ignore-test=deployment-has-host-podantiaffinity',
  '--ignore-test=statefulset-has-host-podantiaffinity',
  // The edge is ready as soon as it is alive. It does not depend on the gateways.
  '--ignore-test=pod-probes-identical',
];

/** Components that do not fit the production overlay. */
const NOT_FOR_PRODUCTION = ['postgres', 'redis'];
/** Components that the production overlay already has. */
const IN_PRODUCTION = ['archive', 'external-postgres', 'external-redis'];

/** @typedef {{name: string, overlay: string, components: string[]}} Combination */

/** @param {string} root @returns {Combination[]} */
export function combinations(root) {
  const list = (/** @type {string} */ folder) => readdirSync(path.join(root, 'deploy/k8s', folder)).sort();
  const components = list('components').filter((name) => !NOT_FOR_PRODUCTION.includes(name));
  return [
    ...list('overlays').map((overlay) => ({ name: overlay, overlay, components: [] })),
    ...components
      .filter((name) => !IN_PRODUCTION.includes(name))
      .map((name) => ({ name: `production + ${name}`, overlay: 'production', components: [name] })),
    {
      name: 'production + all',
      overlay: 'production',
      components: components.filter((name) => !IN_PRODUCTION.includes(name)),
    },
  ];
}

/**
 * The command that builds a kustomization, or null if none was found.
 * @param {NodeJS.ProcessEnv} environment
 */
export function findBuilder(environment) {
  const kustomize = findProgram(['kustomize'], environment);
  if (kustomize !== null) return [kustomize, 'build'];
  const kubectl = findProgram(['kubectl'], environment);
  return kubectl === null ? null : [kubectl, 'kustomize'];
}

/**
 * @param {string[]} command
 * @param {{stdin?: string}} [options]
 * @returns {Promise<string>} its standard output
 */
function run([program = '', ...args], { stdin } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { timeout: BUILD_DEADLINE_MS, maxBuffer: OUTPUT_BYTES_MAX },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${stderr}${stdout}`.trim() || error.message));
      },
    );
    child.stdin?.end(stdin ?? '');
  });
}

/**
 * Renders an overlay, optionally with more components or another namespace.
 * @param {{root: string, builder: string[], overlay: string, components?: readonly string[],
 *   namespace?: string}} options
 * @returns {Promise<string>} YAML documents
 * @throws if it cannot be built
 */
export async function buildOverlay({ root, builder, overlay, components = [], namespace }) {
  const base = path.join(realpathSync(root), 'deploy/k8s');
  if (components.length === 0 && namespace === undefined)
    return run([...builder, path.join(base, 'overlays', overlay)]);
  // A temporary kustomization that refers to the overlay. kustomize accepts relative paths only.
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'maru-kustomize-')));
  const relative = (/** @type {string} */ to) => path.relative(folder, path.join(base, to));
  try {
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      ...(namespace === undefined ? { namespace: 'maru' } : { namespace }),
      resources: [relative(`overlays/${overlay}`)],
      components: components.map((name) => relative(`components/${name}`)),
    };
    // JSON is YAML.
    writeFileSync(path.join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return await run([...builder, folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The command that validates, or the reason why there is none.
 * @returns {Promise<string[] | string>}
 */
async function findKubeconform() {
  const program = findProgram(['kubeconform'], process.env);
  if (program === null) return 'kubeconform was not found';
  // There are no schemas for the custom resources of other projects.
  const command = [program, '-strict', '-ignore-missing-schemas'];
  try {
    await run([...command, '-'], { stdin: 'apiVersion: v1\nkind: Namespace\nmetadata: {name: probe}\n' });
    return command;
  } catch {
    return 'kubeconform cannot reach its schemas';
  }
}

const RULES = 'deploy/monitoring/prometheus/rules.yml';
const RULE_OBJECT = 'deploy/k8s/components/prometheus-rules/prometheus-rule.yaml';

/**
 * Renders the alert rules as an object of Prometheus Operator. Pure.
 * @param {string} rules their file's text
 */
export function renderRuleObject(rules) {
  const indented = rules.trimEnd().replace(/^(?=.)/gm, '  ');
  return `# Written by \`node tools/check-manifests.mjs --write\` from ${RULES}; changes belong there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: maru
spec:
${indented}
`;
}

/**
 * @param {string} root
 * @param {boolean} write
 * @returns {boolean} whether the object matches the rules
 */
function checkRuleObject(root, write) {
  const wanted = renderRuleObject(readFileSync(path.join(root, RULES), 'utf8'));
  if (write) writeFileSync(path.join(root, RULE_OBJECT), wanted);
  return readFileSync(path.join(root, RULE_OBJECT), 'utf8') === wanted;
}

/** @param {{root: string, write: boolean}} options @returns {Promise<number>} the exit code */
async function main({ root, write }) {
  if (!existsSync(path.join(root, 'deploy/k8s'))) return 0;
  let failed = 0;
  if (!checkRuleObject(root, write)) {
    failed++;
    console.log(`${RULE_OBJECT} is older than ${RULES}: node tools/check-manifests.mjs --write`);
  }
  const builder = findBuilder(process.env);
  if (builder === null) {
    console.log('skipped: deploy/k8s, because neither kustomize nor kubectl was found');
    return failed === 0 ? 0 : 1;
  }
  const kubeconform = await findKubeconform();
  const linter = findProgram(['kube-score'], process.env);
  if (typeof kubeconform === 'string') console.log(`skipped: schemas of deploy/k8s, because ${kubeconform}`);
  if (linter === null) console.log('skipped: the linter of deploy/k8s, because kube-score was not found');
  for (const { name, ...which } of combinations(root)) {
    try {
      const yaml = await buildOverlay({ root, builder, ...which });
      if (typeof kubeconform !== 'string') await run([...kubeconform, '-'], { stdin: yaml });
      if (linter !== null)
        await run([linter, 'score', '--output-format=ci', ...LINTER_ARGUMENTS, '-'], { stdin: yaml });
    } catch (error) {
      failed++;
      const shown = (error instanceof Error ? error.message : String(error)).split('\n');
      // The linter also lists passed rules.
      console.log(`${name}: ${shown.filter((line) => !/^\[(OK|SKIPPED)\]/.test(line)).join('\n')}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flag = process.argv.indexOf('--root');
  const root = path.resolve(flag === -1 ? path.join(here, '..') : (process.argv[flag + 1] ?? '.'));
  process.exitCode = await main({ root, write: process.argv.includes('--write') });
}
