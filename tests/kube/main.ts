/**
 * `npm run test:kube`: the local overlay on a real cluster, under load and disruptions.
 * tools/test-kube.mjs starts it on the pinned version of Node.js.
 */
import { execFileSync } from 'node:child_process';
import { findProgram } from '../../tools/bootstrap/find-program.mjs';
import { createRandom } from '../faults/random.ts';
import { fixedSchedule } from '../faults/schedule.ts';
import { runTrial, type TrialResult } from '../faults/trial.ts';
import { ARCHIVE_CHECK, CHAT_CHECKS, type Check } from './chat-checks.ts';
import { createDisruptions } from './disruptions.ts';
import { runKubectl } from './kube.ts';
import { HELP, type KubeOptions, Misuse, parseKubeOptions } from './options.ts';
import { type KubeSite, startKubeSite } from './site.ts';

const IMAGES = ['gateway', 'presence', 'archiver', 'edge', 'redis', 'postgres'].map((name) => `maru/${name}:local`);
/** From `kubectl apply` until all pods are ready, with the images already on the nodes. */
const READY_GOAL_MS = 60_000;
const CALM_MS = 2_000;
const ROOM_CLIENTS = 15;
const SEED = 1;

let ending = false;
let keep = false;
let current: KubeSite | undefined;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function checkRequirements(): Promise<void> {
  const missing = (what: string) => new Misuse(`${what}\n\n${HELP}`);
  if ((process.env.KUBECONFIG ?? '') === '')
    throw missing('KUBECONFIG is not set. It must be set, so that the test never uses a cluster by accident.');
  if (findProgram(['kubectl'], process.env) === null) throw missing('kubectl is not installed.');
  const context = (await runKubectl(['config', 'current-context']).catch((error: Error) => error.message)).trim();
  const version = await runKubectl(['version', '--output=json']).catch((error: Error) => {
    throw new Misuse(`The cluster of the context ${context} does not answer: ${error.message}`);
  });
  const { serverVersion } = JSON.parse(version) as { serverVersion?: { gitVersion: string } };
  say(`context ${context}, Kubernetes ${serverVersion?.gitVersion ?? 'of unknown version'}`);
}

function loadImages({ loadImages }: KubeOptions): void {
  const [program, ...args] = loadImages ?? [];
  if (program === undefined) return;
  say(`${program} ${[...args, ...IMAGES].join(' ')}`);
  try {
    execFileSync(program, [...args, ...IMAGES], { stdio: 'inherit' });
  } catch {
    throw new Misuse(`${program} could not load the images.`);
  }
}

/** @returns a line for each violation */
async function run(options: KubeOptions): Promise<string[]> {
  const disruptions = createDisruptions(say).filter(
    ({ name }) => options.only.length === 0 || options.only.some((beginning) => name.startsWith(beginning)),
  );
  if (disruptions.length === 0) throw new Misuse(`No disruption begins with ${options.only.join(' or ')}.`);
  await checkRequirements();
  loadImages(options);
  const site = await startKubeSite({ url: options.url, say });
  current = site;
  const violations: string[] = [];
  say(`all ready ${(site.readyAfterMs / 1_000).toFixed(1)} s after applying; public at ${site.url}`);
  if (site.readyAfterMs > READY_GOAL_MS) violations.push(`not all pods were ready within ${READY_GOAL_MS / 1_000} s`);
  for (const check of CHAT_CHECKS) violations.push(...(await failuresOf(check, site.url)));
  if (violations.length > 0) return violations;
  const trial = await runTrial({
    environment: site,
    plan: fixedSchedule(
      disruptions,
      disruptions.map(({ name }) => [name, 0] as const),
      CALM_MS,
    ),
    clients: options.clients,
    rooms: Math.max(2, Math.ceil(options.clients / ROOM_CLIENTS)),
    actsPerSecond: options.rate,
    random: createRandom(SEED),
    say,
    isEnding: () => ending,
  });
  report(trial);
  return [
    ...trial.injected.flatMap((one) => one.violations.map((line) => `${one.name}: ${line}`)),
    ...trial.violations,
    ...(await failuresOf(ARCHIVE_CHECK, site.url)),
  ];
}

async function failuresOf({ name, run: check }: Check, url: string): Promise<string[]> {
  const failure = await check(url).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  say(`${failure === undefined ? 'ok  ' : 'FAIL'} ${name}`);
  return failure === undefined ? [] : [`${name}: ${failure}`];
}

function report({ messages, stored, gapsDeclared, presenceMs }: TrialResult): void {
  const presence = presenceMs === undefined ? 'never' : `${(presenceMs / 1_000).toFixed(1)} s later`;
  say(
    `${messages} messages composed, ${stored} stored and acknowledged, ${gapsDeclared} gaps reported as not recoverable; presence correct ${presence}`,
  );
}

async function cleanUp(): Promise<void> {
  const site = current;
  current = undefined;
  if (site === undefined) return;
  if (keep) {
    site.kube.close();
    say(`kept: kubectl delete namespace ${site.kube.namespace}`);
    return;
  }
  await site.stop();
  say(`namespace ${site.kube.namespace} deleted`);
}

async function main(): Promise<number> {
  const options = parseKubeOptions(process.argv.slice(2));
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  keep = options.keep;
  try {
    const violations = await run(options);
    say(violations.length === 0 ? '\nno violations' : `\n${violations.length} violations`);
    for (const violation of violations) say(`- ${violation}`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

const stopAtOnce = (code: number) => void cleanUp().finally(() => process.exit(code));
// The first Ctrl-C stops the test after the current disruption.
process.once('SIGINT', () => {
  ending = true;
  say('stopping after this disruption; press Ctrl-C again to stop at once');
  process.once('SIGINT', () => stopAtOnce(130));
});
process.once('SIGTERM', () => stopAtOnce(143));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof Misuse ? error.message : `${error instanceof Error ? error.stack : String(error)}`);
    process.exit(error instanceof Misuse ? 2 : 1);
  },
);
