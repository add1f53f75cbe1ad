/** Rooms with a history, as operators import them: old messages are in the archive only. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { type ClusterView, repository } from './cluster.ts';

export interface ImportedMessage {
  ts: number;
  from: { id: string; name: string };
  text: string;
}

/** Makes a public room. Its newest 2,000 messages are in Redis, too. */
export async function importRoom(
  cluster: ClusterView,
  { room, messages }: { room: string; messages: readonly ImportedMessage[] },
): Promise<void> {
  const { processes } = await cluster.status();
  const addressOf = (kind: string) => processes.find((one) => one.kind === kind)?.address ?? '';
  const child = spawn(process.execPath, ['services/archiver/src/admin/import-room.ts', '--room', room], {
    cwd: repository,
    env: { ...process.env, MARU_REDIS_URL: addressOf('redis'), MARU_POSTGRES_URL: addressOf('postgres') },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const [said, code] = await Promise.all([text(child.stderr), new Promise((resolve) => child.once('exit', resolve))]);
  assert.equal(code, 0, said);
}
