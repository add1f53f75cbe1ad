/** Finds the addresses in a text that become links. Pure. */
import { type Route, routeOf } from '../model/route.ts';
import type { LinkTarget } from './model.ts';

const PROTOCOLS = new Set(['http:', 'https:', 'mailto:']);

/**
 * An address ends at the first Korean, Chinese or Japanese character. A particle follows an address
 * without a space, and browsers copy such characters percent-encoded.
 */
const URL_CHARS =
  /[^\s<>"'`\u3000-\u303f\uff00-\uffef\p{sc=Hang}\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}\p{Cc}\p{Cf}]{1,2048}/uy;
const STARTS = /(?:https?:\/\/|www\.)(?=[\p{L}\p{N}])/iuy;
const EMAIL = /(?:mailto:)?[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,63}(?![\w@])/iy;
const TRAILING = /[?!.,:;*_~]+$/;
const CLOSERS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/** The length of the address at this index. 0 if there is none. */
export function addressLength(text: string, at: number): number {
  if (/[A-Za-z0-9_@/.]/.test(text.charAt(at - 1))) return 0;
  STARTS.lastIndex = at;
  if (!STARTS.test(text)) return emailLength(text, at);
  URL_CHARS.lastIndex = at;
  const written = URL_CHARS.exec(text)?.[0] ?? '';
  const address = untilUnbalanced(written).replace(TRAILING, '');
  return targetOf(address) === null ? 0 : address.length;
}

function emailLength(text: string, at: number): number {
  EMAIL.lastIndex = at;
  return EMAIL.exec(text)?.[0].length ?? 0;
}

/** Removes a closing bracket that was opened before the address. */
function untilUnbalanced(written: string): string {
  const open: Record<string, number> = {};
  for (let i = 0; i < written.length; i++) {
    const char = written.charAt(i);
    const opener = CLOSERS[char];
    if (opener === undefined) open[char] = (open[char] ?? 0) + 1;
    else if (!open[opener]) return written.slice(0, i);
    else open[opener] -= 1;
  }
  return written;
}

/** Null if a message may not link to this address. */
export function targetOf(address: string): LinkTarget | null {
  const isEmail = address.includes('@') && emailLength(address, 0) === address.length;
  const scheme = /^www\./i.test(address) ? 'https://' : isEmail && !/^mailto:/i.test(address) ? 'mailto:' : '';
  const whole = scheme + address;
  if (!/^(?:https?:\/\/|mailto:)/i.test(whole) || !URL.canParse(whole)) return null;
  const url = new URL(whole);
  // Reject user information before the host. It can imitate a host:
  // https://bank.example@evil.example
  if (!PROTOCOLS.has(url.protocol) || url.username !== '' || url.password !== '') return null;
  // A host with lookalike letters can imitate a known host, so its ASCII form is also shown.
  const isShown = url.host === '' || address.toLowerCase().includes(url.host);
  return { href: url.href, host: isShown ? null : url.host };
}

/** The target of `[label](address)`. Null if the label looks like a different address. */
export function labelledTarget(label: string, address: string): LinkTarget | null {
  const target = targetOf(address);
  if (target === null) return null;
  const shown = label.trim();
  const looksLikeAddress = /:\/\/|www\.|@/i.test(shown) || /^[^\s/]+(?:\.[^\s/.]+)+(?:\/\S*)?$/.test(shown);
  if (shown === '' || (looksLikeAddress && !target.href.toLowerCase().includes(shown.toLowerCase()))) return null;
  const { host, pathname } = new URL(target.href);
  return { href: target.href, host: host === '' ? pathname : host };
}

/** The route of a link to a room or message of this page. Null for other links. */
export function ownRoute(href: string, origin: string): Route | null {
  const url = new URL(href);
  if (url.origin !== origin) return null;
  const route = routeOf(url);
  return route.view === 'room' ? route : null;
}
