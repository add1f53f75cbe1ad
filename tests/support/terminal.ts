/**
 * Programs in a terminal: `script` provides one, and xterm.js (without a window) interprets the
 * output.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import xterm from '@xterm/headless';
import { repository } from './cluster.ts';
import { poll } from './poll.ts';

export interface TestTerminal {
  /** The lines on the screen, without trailing spaces. */
  screen(): string[];
  /** Waits until the screen shows the text. */
  shows(text: string): Promise<void>;
  type(keys: string): void;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  stop(): void;
}

export const KEYS = {
  enter: '\r',
  up: '\u001b[A',
  escape: '\u001b',
  controlC: '\u0003',
  controlN: '\u000e',
  pageUp: '\u001b[5~',
};

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the terminal client with these options. */
export function startTerminal(args: string[], size: { columns: number; rows: number }): TestTerminal {
  const { columns, rows } = size;
  const main = path.join(repository, 'apps/terminal/src/main.ts');
  const command = [process.execPath, main, ...args].map(quoted).join(' ');
  const shell = `stty cols ${columns} rows ${rows}; exec ${command}`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', shell, '/dev/null'], {
    // Ink draws less if it finds no terminal.
    env: { ...process.env, TERM: 'xterm-256color', CI: 'false' },
  });
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  child.stdout.on('data', (data: Buffer) => terminal.write(data));
  // The terminal answers queries of the program, such as the cursor position.
  terminal.onData((answer) => child.stdin.write(answer));
  const screen = () => {
    const { active } = terminal.buffer;
    return Array.from(
      { length: rows },
      (_, row) =>
        active
          .getLine(active.baseY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
  };
  return {
    screen,
    shows: async (text) => {
      await poll(`the screen to show ${text}`, () => screen().some((line) => line.includes(text)), {
        timeoutMs: 15_000,
      });
    },
    type: (keys) => void child.stdin.write(keys),
    exited: new Promise((resolve) => child.once('exit', (code) => resolve(code ?? -1))),
    stop: () => void child.kill('SIGKILL'),
  };
}
