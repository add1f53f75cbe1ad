/** Exports everything that the user wrote. */
import { errorOf, type HttpError, type HttpResult, type HttpTarget, isObject, send, UNREACHABLE } from './call.ts';

/** Timeout between two parts: the server sends pages as fast as the archive reads them. */
const NEXT_PART_MS = 60_000;
/** Maximum consecutive parts without new entries. */
const VAIN_TRIES_MAX = 3;

interface Part {
  /** Complete lines only. */
  text: string;
  isEnd: boolean;
  /** Where the next part begins. */
  cursor: string | undefined;
}

/**
 * Entries that the caller wrote, oldest first: one JSON object for each line, and a last line with
 * `end`. The server cuts off a long export. Then this function continues it.
 */
export async function exportOwnData(
  target: HttpTarget,
  onProgress: (chars: number) => void = () => {},
): Promise<HttpResult<Blob>> {
  const texts: string[] = [];
  let cursor: string | undefined;
  let total = 0;
  for (let vain = 0; vain < VAIN_TRIES_MAX; ) {
    const before = total;
    const part = await readPart(target, cursor, (chars) => onProgress(before + chars));
    if ('error' in part) return { ok: false, error: part.error };
    texts.push(part.text);
    total += part.text.length;
    if (part.isEnd) return { ok: true, data: new Blob(texts, { type: 'application/jsonl' }) };
    vain = part.text === '' ? vain + 1 : 0;
    cursor = part.cursor ?? cursor;
  }
  return { ok: false, error: UNREACHABLE };
}

async function readPart(
  target: HttpTarget,
  cursor: string | undefined,
  onProgress: (chars: number) => void,
): Promise<Part | { error: HttpError }> {
  const silence = new AbortController();
  const wait = () => setTimeout(() => silence.abort(), NEXT_PART_MS);
  let timer = wait();
  let text = '';
  try {
    const response = await send(target, { path: '/me/export', query: { cursor } }, silence.signal);
    if (!response.ok) return { error: errorOf(response, await response.json().catch(() => null)) };
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
      clearTimeout(timer);
      timer = wait();
      text += read.value;
      onProgress(text.length);
    }
  } catch {
    // Use the part that arrived before the failure.
    if (text === '') return { error: UNREACHABLE };
  } finally {
    clearTimeout(timer);
  }
  return partOf(text);
}

function partOf(text: string): Part {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const last: unknown = JSON.parse(whole.trimEnd().split('\n').at(-1) || 'null');
  const { end, cursor } = isObject(last) ? last : {};
  return { text: whole, isEnd: end === true, cursor: typeof cursor === 'string' ? cursor : undefined };
}
