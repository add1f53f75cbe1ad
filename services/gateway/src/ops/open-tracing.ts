/** Traces are off unless an address is given: what would be traced stays as it is, and the tracing library is not even loaded. */
import type { Logger } from '@maru/service-kit';
import { NO_TRACING, type Tracing } from './tracing.ts';

export async function openTracing(options: {
  /** Base URL of an OTLP/HTTP receiver; undefined: no traces. */
  endpoint: string | undefined;
  /** Share of messages that are traced, 0 to 1; all nodes trace the same ones. */
  ratio: number;
  node: string;
  logger: Logger;
}): Promise<Tracing> {
  const { endpoint, ...rest } = options;
  if (endpoint === undefined) return NO_TRACING;
  const { createOtlpTracing } = await import('./otlp-tracing.ts');
  return createOtlpTracing({ endpoint, ...rest });
}
