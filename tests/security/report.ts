/** The report of a run, as Markdown. Pure. */
import type { SecurityOptions } from './options.ts';
import type { Outcome } from './outcome.ts';

export function renderReport(run: {
  startedAt: string;
  tookMs: number;
  node: string;
  options: SecurityOptions;
  outcomes: readonly Outcome[];
  endedEarly: boolean;
}): string {
  const { startedAt, tookMs, node, options, outcomes, endedEarly } = run;
  const violations = outcomes.flatMap((outcome) => outcome.violations);
  return [
    '# Security runs',
    '',
    `${startedAt}, ${(tookMs / 60_000).toFixed(1)} min${endedEarly ? ' (ended early)' : ''}, seed ${options.seed}, Node ${node}.`,
    '',
    `**${violations.length === 0 ? 'No violations.' : `${violations.length} violations.`}**`,
    ...outcomes.flatMap(renderOutcome),
    '',
  ].join('\n');
}

const renderOutcome = ({ name, figures, violations }: Outcome): string[] => [
  '',
  `## ${name}`,
  '',
  '| figure | value |',
  '| --- | --- |',
  ...figures.map(([label, value]) => `| ${label} | ${value} |`),
  ...(violations.length === 0 ? [] : ['', ...violations.map((violation) => `- ${violation}`)]),
];
