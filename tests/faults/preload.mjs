/**
 * Comes before everything else in the service processes of a trial, by NODE_OPTIONS: what cannot be done to them from outside. Without its
 * variables it does nothing, so npm and the supervisor, which inherit it, are as they are.
 *
 * FAULTS_REDIS_URL: where the store is, in place of the one that the supervisor runs.
 * FAULTS_CLOCKS: a folder with a file for each node whose clock is to be wrong, named as the node, with milliseconds in it. Read at the
 * start, and again at SIGUSR2: then the clock jumps. Timers are not touched, as they are not by a real jump.
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
