/** Formats JSON like the project's formatter, so that generated files pass the same check. */
import type { Json } from './json-schema.ts';

const LINE_CHARS_MAX = 120;

export const formatJson = (value: Json): string => `${format(value, '', 0)}\n`;

/** `used`: characters on the line before the value, plus one for a following comma. */
function format(value: Json, indent: string, used: number): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const inline = value.every((item) => !hasMembers(item))
      ? `[${value.map((item) => format(item, '', 0)).join(', ')}]`
      : '';
    if (inline !== '' && used + inline.length <= LINE_CHARS_MAX) return inline;
    return `[\n${value.map((item) => inner + format(item, inner, inner.length + 1)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value).map(([key, item]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return start + format(item, inner, start.length + 1);
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

const hasMembers = (value: Json): boolean =>
  value !== null && typeof value === 'object' && Object.keys(value).length > 0;
