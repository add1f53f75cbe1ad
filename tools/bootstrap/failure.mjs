/** An error for the user at the terminal: programs print its message without a stack. */
export class Failure extends Error {
  /**
   * @param {string} message says what is wrong and what to do
   * @param {{exitCode?: number, cause?: unknown}} [options] `exitCode` is 1 unless the usage was
   *   wrong (2)
   */
  constructor(message, options = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/**
 * What a program prints for an error, and its exit code. An error that is not a Failure is a bug,
 * so its stack is printed.
 * @param {unknown} error
 * @returns {{text: string, exitCode: number}}
 */
export function describeFailure(error) {
  if (error instanceof Failure) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof Error) return { text: error.stack ?? error.message, exitCode: 1 };
  return { text: String(error), exitCode: 1 };
}

/**
 * Sets the exit code of the program: the result of `work`, or that of the failure, which goes to
 * standard error.
 * @param {Promise<number>} work
 */
export async function exitWith(work) {
  try {
    process.exitCode = await work;
  } catch (error) {
    const { text, exitCode } = describeFailure(error);
    console.error(text);
    process.exitCode = exitCode;
  }
}

/**
 * The `code` of a system error (`ENOENT`, `EADDRINUSE` …), or undefined.
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function errorCode(error) {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
