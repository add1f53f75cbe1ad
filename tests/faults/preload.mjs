/**
 * Loaded first into the service processes of a trial through NODE_OPTIONS, for faults that cannot
 * be injected from outside. Without its variables it does nothing, because npm and the supervisor
 * also inherit it.
 *
 * FAULTS_REDIS_URL: the address of the store, instead of the supervisor's Redis. FAULTS_CLOCKS: a
 * folder with a file for each node with a wrong clock. The file has the node's name and contains
 * milliseconds. It is read at the start and on SIGUSR2. Then the clock jumps. Timers do not change,
 * as in a real jump.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { MARU_NODE: node, FAULTS_REDIS_URL: redisUrl, FAULTS_CLOCKS: clocks } = process.env;

if (node !== undefined && redisUrl) process.env.MARU_REDIS_URL = redisUrl;
if (node !== undefined && clocks) {
  const RealDate = Date;
  let offsetMs = 0;
  const look = () => {
    try {
      offsetMs = Number(readFileSync(join(clocks, node), 'utf8'));
    } catch {
      offsetMs = 0;
    }
  };
  const wrongNow = () => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, when, newTarget) =>
      Reflect.construct(target, when.length === 0 ? [wrongNow()] : when, newTarget),
    get: (target, name, receiver) => (name === 'now' ? wrongNow : Reflect.get(target, name, receiver)),
  });
  process.on('SIGUSR2', look);
  look();
}
