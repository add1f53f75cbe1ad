/** The process. Only this module and the kit's lifecycle use the environment, signals and exit. */
import { ConfigError, createLogger, runService, withFileValues } from '@maru/service-kit';
import { readGatewayConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { openTracing } from './ops/open-tracing.ts';

/** Deadline of a stop, and of a drain in addition to its own waiting times. */
const STOP_DEADLINE_MS = 8_000;
const DRAIN_SLACK_MS = 18_000;

try {
  const environment = withFileValues(process.env);
  const config = readGatewayConfig(environment);
  const logger = createLogger({ service: 'gateway', node: config.node, level: config.logLevel });
  const { node, otlpEndpoint: endpoint, traceRatio: ratio } = config;
  const tracing = await openTracing({ endpoint, ratio, node, logger });
  const gateway = createGateway({ config, environment, logger, tracing });
  runService(gateway, {
    logger,
    drainDeadlineMs: config.drainWaitMs + config.drainSpreadMaxMs + DRAIN_SLACK_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
  });
  await gateway.start();
} catch (error) {
  // Print one clear line for the operator.
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}
