/** Output for people: short aligned lines, with colours only on a terminal. */

/** @typedef {'good' | 'bad' | 'quiet' | 'strong'} Tone */
/**
 * @typedef {object} Reporter
 * @property {(label: string, text: string) => void} step something was done or found
 * @property {(label: string, text: string) => void} trouble a problem; the program goes on
 * @property {(text?: string) => void} line a line as it is
 * @property {(tone: Tone, text: string) => string} paint
 */

/** @type {Record<Tone, string>} */
const CODES = { good: '32', bad: '31', quiet: '2', strong: '1' };
const LABEL_WIDTH_CHARS = 14;

/**
 * Colours are for a terminal, unless NO_COLOR (no-color.org) is set or TERM is `dumb`.
 * @param {{isTTY?: boolean}} stream
 * @param {Record<string, string | undefined>} environment
 */
export function wantsColour(stream, environment) {
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/**
 * @param {{stream: NodeJS.WritableStream & {isTTY?: boolean}, environment: Record<string, string |
 *   undefined>}} options
 * @returns {Reporter}
 */
export function createReporter({ stream, environment }) {
  const colour = wantsColour(stream, environment);
  // The reader may close (`npm start | head`, a closed terminal). That must not end the cluster.
  stream.on('error', () => {});
  /** @type {Reporter['paint']} */
  const paint = (tone, text) => (colour ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text);
  const line = (text = '') => {
    stream.write(`${text}\n`);
  };
  return {
    paint,
    line,
    step: (label, text) => line(`  ${paint('good', label.padEnd(LABEL_WIDTH_CHARS))} ${text}`),
    trouble: (label, text) => line(`  ${paint('bad', label.padEnd(LABEL_WIDTH_CHARS))} ${text}`),
  };
}
