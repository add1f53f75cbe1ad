/** Opens tracing. Without an endpoint, tracing is off and its library is not loaded. */
import type { Logger } from '@maru/service-kit';
import { NO_TRACING, type Tracing } from './tracing.ts';

export async function openTracing(options: {
  /** Base URL of an OTLP/HTTP receiver; undefined: tracing is off. */
  endpoint: string | undefined;
  /** Fraction of messages that are traced, 0 to 1. All nodes trace the same messages. */
  ratio: number;
  node: string;
  logger: Logger;
}): Promise<Tracing> {
  const { endpoint, ...rest } = options;
  if (endpoint === undefined) return NO_TRACING;
  const { createOtlpTracing } = await import('./otlp-tracing.ts');
  return createOtlpTracing({ endpoint, ...rest });
}
