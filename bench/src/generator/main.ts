/** The load generator: a process of its own, so that what it costs can be told from what the servers cost. */
import type { CommandName, Commands, Plan, Request, Response } from './commands.ts';
import { Crowd } from './crowd.ts';

let crowd: Crowd | undefined;

const ready = (): Crowd => {
  if (crowd === undefined) throw new Error('no plan yet');
  return crowd;
};

const handlers: {
  [N in CommandName]: (ask: Commands[N]['ask']) => Commands[N]['answer'] | Promise<Commands[N]['answer']>;
} = {
  plan: (plan: Plan) => {
    crowd = new Crowd(plan);
    return null;
  },
  connect: async ({ from, to, concurrency, resume }) => {
    await ready().connect(from, to, concurrency, resume);
    return null;
  },
  close: ({ from, to, abruptly }) => {
    ready().close(from, to, abruptly);
    return null;
  },
  send: ({ perSecond, burst, senders }) => {
    ready().send(perSecond, burst, senders);
    return null;
  },
  pause: () => {
    ready().pause();
    return null;
  },
  open: () => {
    ready().open();
    return null;
  },
  shut: () => {
    ready().shut();
    return null;
  },
  figures: () => ready().figures(),
  settle: ({ patienceMs }) => ready().settle(patienceMs),
};

async function answer({ id, name, ask }: Request): Promise<Response> {
  try {
    return { id, answer: await (handlers[name] as (ask: unknown) => unknown)(ask) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((response) => process.send?.(response));
});
// Nobody is left to ask.
process.on('disconnect', () => process.exit(0));
