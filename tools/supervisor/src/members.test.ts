import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nextGatewayName } from './members.ts';

it('a new gateway gets the lowest number that no other gateway has, running or down', () => {
  assert.equal(nextGatewayName([]), 'gateway-1');
  assert.equal(nextGatewayName(['redis', 'gateway-1', 'gateway-3']), 'gateway-2');
  assert.equal(nextGatewayName(['gateway-1', 'gateway-2', 'nginx']), 'gateway-3');
});
