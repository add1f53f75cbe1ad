/** Programs that work on the store once and end, told apart from the processes that run all the time. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from '../../bootstrap/failure.mjs';

/** Runs it with the application's rights; its stderr is for people. Rejects with a Failure unless it ends with 0. */
export async function runTool(options: {
  file: string;
  entry: string;
  redisUrl: string;
  say: (line: string) => void;
}): Promise<void> {
  const child = spawn(options.file, [options.entry], {
    env: { PATH: process.env.PATH, MARU_REDIS_URL: options.redisUrl },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  createInterface({ input: child.stderr }).on('line', options.say);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Failure('It did not finish. Run it again; what was done stays.');
}
