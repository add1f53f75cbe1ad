/** The result of one program of the suite. */
export interface Outcome {
  name: string;
  /** Empty if all promises were kept. */
  violations: string[];
  /** The measurements, in the order of the report. */
  figures: Array<readonly [label: string, value: string | number]>;
}

export type Say = (line: string) => void;

/** The value that this share of the values does not exceed; 0 without values. Sorts `values`. */
export function percentile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? 0;
}

export const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

export const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(0)} KB`;
