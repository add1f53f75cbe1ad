/**
 * The health check of a service image: `node health.mjs [healthz|readyz]` asks the ops port of the
 * service. It exits with 0 if the answer is yes.
 */
const path = process.argv[2] ?? 'healthz';
const ANSWER_WITHIN_MS = 5_000;
try {
  const response = await fetch(`http://127.0.0.1:${process.env.MARU_OPS_PORT}/${path}`, {
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (!response.ok) console.error(`${path} answered ${response.status}`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(`${path} did not answer: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
