/** The process: reads the environment, starts the service, and connects it to signals. */
import {
  ConfigError,
  collectProcessMetrics,
  createLogger,
  readConfig,
  runService,
  withFileValues,
} from '@maru/service-kit';
import { Registry } from 'prom-client';
import { createPresence } from './presence.ts';
import { type PresenceSettings, settingFields } from './settings.ts';

function settingsOrExit(): PresenceSettings {
  try {
    return readConfig(settingFields, withFileValues(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}

const settings = settingsOrExit();
const logger = createLogger({ service: 'presence', node: settings.node, level: settings.logLevel });
const registry = new Registry();
collectProcessMetrics(registry);
const presence = createPresence({ settings, logger, registry });
// Before the start, so that signals during the start are handled.
runService(presence, { logger, drainDeadlineMs: 8_000, stopDeadlineMs: 3_000 });
try {
  await presence.start();
} catch (error) {
  logger.fatal({ err: error }, 'presence could not start');
  process.exit(1);
}
