/**
 * Alert rules, runbooks and the dashboard as files. tests/integration/metrics.test.ts compares
 * their metrics with real scrapes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { findProgram } from '../../tools/bootstrap/find-program.mjs';
import { DASHBOARD_FILE, renderDashboard } from './grafana/dashboard.ts';

const root = new URL('../../', import.meta.url);
const folder = fileURLToPath(new URL('./prometheus', import.meta.url));

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}
const { groups } = parse(readFileSync(`${folder}/rules.yml`, 'utf8')) as { groups: Array<{ rules: Alert[] }> };
const alerts = groups.flatMap(({ rules }) => rules);
const simulated = readFileSync(`${folder}/rules.test.yml`, 'utf8');

test('each alert has a severity and a runbook, and each runbook an alert', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.ok(['critical', 'warning'].includes(labels.severity), alert);
    assert.ok(annotations.summary.length > 0);
    assert.equal(annotations.runbook_url, `docs/runbooks/${alert}.md`);
    assert.ok(existsSync(new URL(annotations.runbook_url, root)), `${annotations.runbook_url} is missing`);
  }
  const pages = readdirSync(new URL('docs/runbooks', root)).filter((file) => file !== 'README.md');
  assert.deepEqual(pages.sort(), alerts.map(({ alert }) => `${alert}.md`).sort());
});

test('each alert has a simulation in which it fires', () => {
  for (const { alert } of alerts) assert.ok(simulated.includes(`alertname="${alert}"`), `${alert} is not simulated`);
});

const promtool = findProgram(['promtool'], process.env);
test('the alerts fire in their simulations and stay silent on an ordinary day', {
  skip: promtool === null && 'promtool is not installed',
}, () => {
  for (const args of [
    ['check', 'rules', 'rules.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync(promtool as string, args, { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`);
  }
});

test('the dashboard file matches its code', () => {
  assert.deepEqual(
    JSON.parse(readFileSync(DASHBOARD_FILE, 'utf8')),
    JSON.parse(renderDashboard()),
    'run: node_modules/.bin/node deploy/monitoring/grafana/dashboard.ts',
  );
});
