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
import { createArchiver } from './archiver.ts';
import { type ArchiverSettings, settingFields } from './settings.ts';

function settingsOrExit(): ArchiverSettings {
  try {
    return readConfig(settingFields, withFileValues(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}

const settings = settingsOrExit();
const logger = createLogger({ service: 'archiver', node: settings.node, level: settings.logLevel });
const registry = new Registry();
collectProcessMetrics(registry);
const archiver = createArchiver({ settings, logger, registry });
// Longer than the running transaction may take.
runService(archiver, { logger, drainDeadlineMs: settings.writeDeadlineMs + 5_000, stopDeadlineMs: 5_000 });
try {
  await archiver.start();
} catch (error) {
  logger.fatal({ err: error }, 'the archiver could not start');
  process.exit(1);
}
