import { describe, expect, it } from '@jest/globals';
import { gatewayRules } from '../../src/operator/alerts/gateway-rules.js';
import { operatorRules } from '../../src/operator/alerts/operator-rules.js';
import { relayRules } from '../../src/operator/alerts/relay-rules.js';
import { GATEWAY_CASES } from './gateway-cases.js';
import { OPERATOR_CASES } from './operator-cases.js';
import { alertsOf, lintOf, playedBy, RUNBOOKS, SCRAPED } from './promtool.js';
import { RELAY_CASES } from './relay-cases.js';
import { certificateCases, handshakeCases } from './shared-cases.js';

const RULES = [
  {
    whose: 'a gateway',
    groups: gatewayRules(SCRAPED, RUNBOOKS),
    cases: [...GATEWAY_CASES, ...handshakeCases('Handshake'), ...certificateCases('Gateway')],
  },
  {
    whose: 'a relay pool',
    groups: relayRules(SCRAPED, RUNBOOKS),
    cases: [...RELAY_CASES, ...handshakeCases('LeaseProof'), ...certificateCases('Relay')],
  },
  {
    whose: 'the operator',
    groups: operatorRules(SCRAPED, RUNBOOKS),
    cases: [...OPERATOR_CASES, ...certificateCases('Operator')],
  },
];
/** It has nothing to be silent about. */
const ALWAYS = 'SallyportWatchdog';

describe.each(RULES)('the rules of $whose', ({ groups, cases }) => {
  it('pass every lint of promtool', () => {
    expect(lintOf(groups)).toBe('');
  });

  it('have for each alert a case that fires and one that is silent', () => {
    const played = (fires: boolean) =>
      new Set(cases.filter((one) => (one.fires !== undefined) === fires).map((one) => one.alert));
    const alerts = alertsOf(groups).map(({ alert }) => alert);
    expect([...played(true)].sort()).toEqual([...alerts].sort());
    expect([...played(false), ...alerts.filter((name) => name === ALWAYS)].sort()).toEqual(
      [...alerts].sort(),
    );
  });

  it.each(
    cases.map((one) => [`${one.alert} ${one.fires ? 'fires' : 'is silent'} ${one.when}`, one]),
  )('%s', (_, one) => {
    expect(playedBy(groups, one as (typeof cases)[number])).toBe('');
  });
});
