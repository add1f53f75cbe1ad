import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeFields } from '@maru/service-kit';
import { FIELDS } from '../../services/gateway/src/config.ts';
import { settingFields } from '../../services/presence/src/settings.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md describes every variable of each service with its default', () => {
  assert.ok(page.includes(describeFields(FIELDS)), `the section of the gateway must be:\n${describeFields(FIELDS)}`);
  assert.ok(
    page.includes(describeFields(settingFields)),
    `the section of presence must be:\n${describeFields(settingFields)}`,
  );
});
