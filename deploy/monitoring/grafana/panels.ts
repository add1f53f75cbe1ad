/** Panels, and the Prometheus expressions that several panels share. */

export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'bool';

export interface Panel {
  title: string;
  /** The panel's description. */
  means: string;
  unit: Unit;
  /** Legend → expression; `{{label}}` in a legend stands for the label's value. */
  show: Record<string, string>;
  /** Shows a number instead of curves, red from this value. */
  statRedFrom?: number;
  /** Red below `statRedFrom`, not from it on. */
  redBelow?: boolean;
}

export interface Row {
  title: string;
  panels: Panel[];
}

/** Selects requests that send a message. */
export const SEND = 'event="message:send"';

/** The q-quantile of a histogram, one series for each value of the labels in `by`. */
export const quantile = (q: number, metric: string, selector = '', by = ''): string => {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${metric}_bucket{${selector}}[$__rate_interval])))`;
};
export const quantiles = (metric: string, selector = ''): Record<string, string> => ({
  median: quantile(0.5, metric, selector),
  '99th percentile': quantile(0.99, metric, selector),
});
export const rate = (metric: string, by: string, selector = ''): string =>
  `sum by (${by}) (rate(${metric}{${selector}}[$__rate_interval]))`;
export const total = (metric: string, selector = ''): string => `sum(rate(${metric}{${selector}}[$__rate_interval]))`;
