/** The log file of one process: limited in size, with the last lines in memory. */
import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

export interface LogFile {
  write(text: string): void;
  /** The last lines, oldest first. */
  tail(linesMax: number): string[];
  close(): void;
}

const TAIL_KEPT_CHARS = 8_192;
const LINE_CHARS_MAX = 16_384;
/**
 * nginx quotes requests in its log. They may contain an Engine.IO session id, which gives access to
 * the session.
 */
const SECRET_IN_QUERY = /([?&](?:sid|token|access_token)=)[^&\s"]+/g;

export const withoutSecrets = (text: string): string => text.replace(SECRET_IN_QUERY, '$1…');

/**
 * Appends whole lines to `path`. Above `bytesMax` the file is renamed to `path.1`, which replaces
 * an older one, and a new file begins. A full disk loses lines but does not stop the process;
 * `onError` is called once for each series of failures.
 */
export function openLogFile(options: { path: string; bytesMax: number; onError: (error: unknown) => void }): LogFile {
  const { path, bytesMax } = options;
  let descriptor: number | null = null;
  let bytes = 0;
  let recent = '';
  let unfinished = '';
  let failed = false;

  const attempt = (work: () => void) => {
    try {
      work();
      failed = false;
    } catch (error) {
      if (!failed) options.onError(error);
      failed = true;
    }
  };
  const open = () => {
    descriptor = openSync(path, 'a', 0o600);
    bytes = statSync(path).size;
  };
  const close = () => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  const append = (text: string) => {
    recent = (recent + text).slice(-TAIL_KEPT_CHARS);
    attempt(() => {
      if (descriptor === null) open();
      if (bytes >= bytesMax) {
        close();
        renameSync(path, `${path}.1`);
        open();
      }
      // Synchronous, so that no output accumulates in memory. The supervisor has no other urgent
      // work.
      if (descriptor !== null) bytes += writeSync(descriptor, text);
    });
  };

  return {
    write(text) {
      unfinished += text;
      const end = unfinished.length > LINE_CHARS_MAX ? unfinished.length : unfinished.lastIndexOf('\n') + 1;
      if (end === 0) return;
      append(withoutSecrets(unfinished.slice(0, end)));
      unfinished = unfinished.slice(end);
    },
    tail: (linesMax) =>
      (recent + unfinished)
        .split('\n')
        .filter((line) => line !== '')
        .slice(-linesMax),
    close() {
      if (unfinished !== '') append(`${withoutSecrets(unfinished)}\n`);
      unfinished = '';
      attempt(close);
    },
  };
}
