/** The bench's handle on its load generator. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Children } from '../children.ts';
import type { CommandName, Commands, Response } from './commands.ts';

export interface Generator {
  /** Rejects if the command fails or the process has ended. */
  call<N extends CommandName>(name: N, input: Commands[N]['input']): Promise<Commands[N]['output']>;
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ENDED = 'the load generator ended';

export function startGenerator(children: Children): Generator {
  const child = children.adopt(fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  const pending = new Map<number, { resolve: (output: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  child.process.on('message', (response: Response) => {
    const call = pending.get(response.id);
    pending.delete(response.id);
    if ('error' in response) call?.reject(new Error(`the load generator: ${response.error}`));
    else call?.resolve(response.output as never);
  });
  child.process.once('exit', () => {
    for (const { reject } of pending.values()) reject(new Error(ENDED));
  });
  return {
    call(name, input) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (!child.alive) return reject(new Error(ENDED));
        pending.set(id, { resolve, reject });
        child.process.send({ id, name, input });
      });
    },
  };
}
