/** Writes the report of a run to the files that its options name. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Report, renderReport } from './report.ts';

/** @returns the report as text */
export function writeReport(report: Report): string {
  const { outFile, reportDir } = report.options;
  const text = renderReport(report);
  if (outFile !== undefined) {
    mkdirSync(path.dirname(outFile), { recursive: true });
    writeFileSync(outFile, text);
  }
  if (reportDir !== undefined) {
    mkdirSync(reportDir, { recursive: true });
    writeFileSync(path.join(reportDir, 'report.md'), text);
    writeFileSync(path.join(reportDir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  }
  return text;
}
