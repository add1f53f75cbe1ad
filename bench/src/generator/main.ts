/** The load generator. It is a separate process, so its CPU is not counted as the servers'. */
import { ClientGroup } from './client-group.ts';
import type { CommandName, Commands, Plan, Request, Response } from './commands.ts';

let group: ClientGroup | undefined;

const planned = (): ClientGroup => {
  if (group === undefined) throw new Error('the first command must be "plan"');
  return group;
};

const handlers: {
  [N in CommandName]: (input: Commands[N]['input']) => Commands[N]['output'] | Promise<Commands[N]['output']>;
} = {
  plan: (plan: Plan) => {
    group = new ClientGroup(plan);
    return null;
  },
  connect: async ({ from, to, concurrency, resume }) => {
    await planned().connect(from, to, concurrency, resume);
    return null;
  },
  close: ({ from, to, abruptly }) => {
    planned().close(from, to, abruptly);
    return null;
  },
  send: ({ perSecond, burst, senders }) => {
    planned().send(perSecond, burst, senders);
    return null;
  },
  stopSending: () => {
    planned().stopSending();
    return null;
  },
  openWindow: () => {
    planned().openWindow();
    return null;
  },
  closeWindow: () => {
    planned().closeWindow();
    return null;
  },
  figures: () => planned().figures(),
  settle: ({ timeoutMs }) => planned().settle(timeoutMs),
};

async function handle({ id, name, input }: Request): Promise<Response> {
  try {
    return { id, output: await (handlers[name] as (input: unknown) => unknown)(input) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: Request) => {
  void handle(request).then((response) => process.send?.(response));
});
// The bench has ended.
process.on('disconnect', () => process.exit(0));
