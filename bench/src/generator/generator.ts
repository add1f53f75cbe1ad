/** The bench's handle on its load generator. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Children } from '../children.ts';
import type { CommandName, Commands, Response } from './commands.ts';

export interface Generator {
  ask<N extends CommandName>(name: N, ask: Commands[N]['ask']): Promise<Commands[N]['answer']>;
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ENDED = 'the load generator ended';

export function startGenerator(children: Children): Generator {
  const child = children.adopt(fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  child.process.on('message', (response: Response) => {
    const asked = waiting.get(response.id);
    waiting.delete(response.id);
    if ('error' in response) asked?.reject(new Error(`the load generator: ${response.error}`));
    else asked?.resolve(response.answer as never);
  });
  child.process.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(ENDED));
  });
  return {
    ask(name, ask) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (!child.alive) return reject(new Error(ENDED));
        waiting.set(id, { resolve, reject });
        child.process.send({ id, name, ask });
      });
    },
  };
}
