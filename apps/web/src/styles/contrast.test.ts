import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const tokens = new Map<string, [light: string, dark: string]>();
for (const [, name, light, dark] of css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)) {
  if (name !== undefined && light !== undefined && dark !== undefined) tokens.set(name, [light, dark]);
}

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** Text colours, and the background colours behind them, according to the style sheets. */
const TEXT: Record<string, string[]> = {
  ink: [
    'paper',
    'floor',
    'raised',
    'hover',
    'own',
    'mark',
    'mark-ground',
    'warn-ground',
    'tint-0',
    'tint-1',
    'tint-2',
    'tint-3',
    'tint-4',
    'tint-5',
  ],
  'ink-soft': ['paper', 'floor', 'raised', 'hover', 'own', 'mark-ground', 'warn-ground'],
  accent: ['paper', 'own', 'hover', 'mark-ground', 'warn-ground'],
  'on-accent': ['accent', 'accent-hover'],
  danger: ['paper', 'floor', 'own', 'hover', 'mark-ground', 'danger-ground'],
  warn: ['paper', 'warn-ground'],
};
const EDGES: Record<string, string[]> = {
  control: ['paper', 'floor', 'raised'],
  focus: ['paper', 'floor', 'raised', 'own', 'hover', 'mark-ground'],
  accent: ['paper', 'raised', 'mark-ground'],
  good: ['paper'],
};

for (const [kind, pairs, least] of [
  ['text', TEXT, 4.5],
  ['control', EDGES, 3],
] as const) {
  for (const [ink, grounds] of Object.entries(pairs)) {
    it(`${ink} is ${kind} with enough contrast on all its backgrounds`, () => {
      for (const ground of grounds) {
        for (const theme of [0, 1] as const) {
          const value = contrast(tokens.get(ink)?.[theme] ?? '', tokens.get(ground)?.[theme] ?? '');
          assert.ok(value >= least, `${ink} on ${ground}, ${theme === 0 ? 'light' : 'dark'}: ${value.toFixed(2)}`);
        }
      }
    });
  }
}
