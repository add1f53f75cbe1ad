import { randomBytes } from 'node:crypto';

/** Random parts of epochs: unique in a process, and almost certainly unique across processes. At most 20 characters. */
export function candidateSource(): () => string {
  const processPart = randomBytes(6).toString('hex');
  let count = 0;
  return () => processPart + (count++).toString(36);
}
