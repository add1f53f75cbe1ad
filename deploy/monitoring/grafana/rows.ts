/** The rows of the dashboard. Each answers a question. `dashboard.ts` converts them for Grafana. */
import type { Row } from './panels.ts';
import { PART_ROWS } from './part-rows.ts';
import { SERVICE_ROWS } from './service-rows.ts';

export const ROWS: Row[] = [...SERVICE_ROWS, ...PART_ROWS];
