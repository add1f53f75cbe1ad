import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeFields } from '@maru/service-kit';
import { FIELDS } from '../../services/gateway/src/config.ts';
import { settingFields } from '../../services/presence/src/settings.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');

test('the page of settings tells every variable of each service with its default', () => {
  assert.ok(page.includes(describeFields(FIELDS)), `of the gateway it must say:\n${describeFields(FIELDS)}`);
  assert.ok(page.includes(describeFields(settingFields)), `of presence it must say:\n${describeFields(settingFields)}`);
});
