/** Shows the chat on the terminal until the user leaves. */
import { render } from 'ink';
import { createElement } from 'react';
import { Chat, type ChatOptions } from './chat.ts';
import { Screen } from './screen.ts';

/** Minimum interval between two draws, because the connection to the terminal may be slow. */
const REDRAW_MS = 100;

/** Resolves with the exit code. */
export async function runScreen(options: ChatOptions & { room: string }): Promise<number> {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let ended: string | null = null;
  const redraw = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const listener of listeners) listener();
    }, REDRAW_MS);
  };
  const chat = new Chat(options, {
    onChange: redraw,
    onEntries: redraw,
    onOutgoing: redraw,
    onEnded: (reason) => {
      ended = reason;
      instance.unmount();
    },
  });
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const instance = render(createElement(Screen, { chat, subscribe }), {
    exitOnCtrlC: false,
    alternateScreen: true,
    incrementalRendering: true,
  });
  chat.connect();
  await instance.waitUntilExit();
  clearTimeout(timer);
  const waiting = chat.client.pending().length;
  chat.close();
  if (ended !== null) console.error(`The session ended: ${ended}.`);
  if (waiting > 0) console.error(`${waiting} messages were not sent.`);
  return ended === null && waiting === 0 ? 0 : 1;
}
