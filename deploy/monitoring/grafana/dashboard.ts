/**
 * The dashboard as code. `node deploy/monitoring/grafana/dashboard.ts` writes dashboards/maru.json.
 * Tests compare that file with this code, and its metrics with real scrapes.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Panel } from './panels.ts';
import { ROWS } from './rows.ts';

const GRID_COLUMNS = 24;
const STAT = { columns: 4, rows: 4 };
const GRAPH = { columns: 8, rows: 8 };
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable, not ours.
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

function toGrafana(panel: Panel, id: number, x: number, y: number): object {
  const { title, means, unit, show, statRedFrom, redBelow } = panel;
  const isStat = statRedFrom !== undefined;
  const size = isStat ? STAT : GRAPH;
  const [below, above] = redBelow === true ? ['red', 'green'] : ['green', 'red'];
  return {
    id,
    type: isStat ? 'stat' : 'timeseries',
    title,
    description: means,
    datasource: DATASOURCE,
    gridPos: { x, y, w: size.columns, h: size.rows },
    fieldConfig: {
      defaults: {
        unit: unit === 'bool' ? 'short' : unit,
        min: 0,
        ...(unit === 'bool' ? { max: 1 } : {}),
        ...(isStat
          ? {
              thresholds: {
                mode: 'absolute',
                steps: [
                  { color: below, value: null },
                  { color: above, value: statRedFrom },
                ],
              },
            }
          : {}),
      },
      overrides: [],
    },
    targets: Object.entries(show).map(([legend, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      ...(legend === '' ? {} : { legendFormat: legend }),
    })),
  };
}

/** The whole dashboard, as Grafana (9 and newer) imports it. */
export function buildDashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: row } of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: GRID_COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of row) {
      const { columns, rows } = panel.statRedFrom === undefined ? GRAPH : STAT;
      if (x + columns > GRID_COLUMNS) {
        x = 0;
        y += tallest;
      }
      panels.push(toGrafana(panel, panels.length + 1, x, y));
      x += columns;
      tallest = rows;
    }
    y += tallest;
  }
  return {
    uid: 'maru',
    title: 'Maru',
    tags: ['maru'],
    schemaVersion: 37,
    editable: false,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }] },
    annotations: { list: [] },
    panels,
  };
}

export const DASHBOARD_FILE = new URL('./dashboards/maru.json', import.meta.url);
export const renderDashboard = (): string => `${JSON.stringify(buildDashboard(), null, 2)}\n`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(DASHBOARD_FILE, renderDashboard());
}
