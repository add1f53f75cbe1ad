/** Runs programs that work on Redis once and exit. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from '../../bootstrap/failure.mjs';

/**
 * Runs the program with the rights of the services. Its stderr goes to the user. Rejects with a
 * Failure if the exit code is not 0.
 */
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
  if (code !== 0) throw new Failure('The program failed. Run it again: completed work is kept.');
}
