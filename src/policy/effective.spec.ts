import { describe, expect, it } from '@jest/globals';
import { GATEWAY_DEFAULTS } from './defaults.js';
import { effectiveGateway, sourceText } from './effective.js';
import type { Constraint } from './effective.js';
import { brokenGatewayRules } from './rules.js';

const IDLE = 'authentication.sessions.idleTimeoutSeconds';
const idle = (spec: object, constraints: readonly Constraint[] = []) => {
  const { values, provenance, conflicts } = effectiveGateway(spec, constraints);
  const source = provenance.find(({ field }) => field === IDLE)!.source;
  const seconds = values.authentication.sessions.idleTimeoutSeconds;
  return { seconds, source: sourceText(source), conflicts };
};
const idleOf = (seconds: number) => ({
  authentication: { sessions: { idleTimeoutSeconds: seconds } },
});
const hipaa: Constraint = { policy: 'hipaa', field: IDLE, atMost: 900 };

describe('an effective value', () => {
  it('is the documented default where nothing is said', () => {
    expect(effectiveGateway({ hosts: ['a.example'] }).values).toEqual(GATEWAY_DEFAULTS);
    expect(idle({})).toMatchObject({ seconds: 1800, source: 'Default' });
  });

  it('is what the resource says', () => {
    expect(idle(idleOf(600))).toMatchObject({ seconds: 600, source: 'Spec' });
  });

  it('says Spec even where the resource says the default', () => {
    expect(idle(idleOf(1800)).source).toBe('Spec');
  });

  it('is tightened by a policy, whoever said it', () => {
    expect(idle({}, [hipaa])).toMatchObject({ seconds: 900, source: 'CompliancePolicy hipaa' });
    expect(idle(idleOf(3600), [hipaa]).seconds).toBe(900);
  });

  it('is never loosened by a policy', () => {
    expect(idle(idleOf(300), [hipaa])).toMatchObject({ seconds: 300, source: 'Spec' });
  });

  it('is the strictest of several policies, in any order', () => {
    const strict: Constraint = { policy: 'government', field: IDLE, atMost: 600 };
    expect(idle({}, [hipaa, strict])).toEqual(idle({}, [strict, hipaa]));
    expect(idle({}, [hipaa, strict]).source).toBe('CompliancePolicy government');
  });

  it('rises to an at-least', () => {
    expect(idle(idleOf(60), [{ policy: 'usable', field: IDLE, atLeast: 120 }]).seconds).toBe(120);
  });
});

describe('two policies that contradict each other', () => {
  const longer: Constraint = { policy: 'usable', field: IDLE, atLeast: 1200 };

  it('are both named, and the value stays within the upper bound', () => {
    for (const spec of [{}, idleOf(60), idleOf(5000)]) {
      const { seconds, conflicts } = idle(spec, [hipaa, longer]);
      expect(seconds).toBeLessThanOrEqual(900);
      expect(conflicts).toEqual([
        {
          field: IDLE,
          atLeast: { value: 1200, policy: 'usable' },
          atMost: { value: 900, policy: 'hipaa' },
        },
      ]);
    }
  });
});

describe('provenance', () => {
  it('lists each value once, sorted, and fits into status', () => {
    const fields = effectiveGateway({
      hardening: { appArmor: 'RuntimeDefault', runtimeClassName: 'gvisor' },
    }).provenance.map(({ field }) => field);
    expect(fields).toEqual([...new Set(fields)].sort());
    expect(fields).toContain('hardening.appArmor');
    expect(fields.length).toBeLessThanOrEqual(64);
  });

  it('takes a list that is set as a whole', () => {
    const { values } = effectiveGateway({
      authentication: { secondFactors: { allowed: ['Totp'], requiredFor: 'Everyone' } },
    });
    expect(values.authentication.secondFactors).toEqual({
      allowed: ['Totp'],
      requiredFor: 'Everyone',
    });
  });

  it('leaves out what no policy can constrain', () => {
    const { values, provenance } = effectiveGateway({
      scheduling: { nodeSelector: { 'kubernetes.io/arch': 'arm64' }, priorityClassName: 'ours' },
      networkPolicy: { monitoringNamespace: 'monitoring' },
    });
    expect(values.scheduling).toEqual({ regions: [] });
    expect(provenance.map(({ field }) => field)).not.toContain('networkPolicy.monitoringNamespace');
  });
});

describe('cross-field rules on effective values', () => {
  const broken = (spec: object) => brokenGatewayRules(effectiveGateway(spec).values);

  it('hold for the defaults', () => {
    expect(broken({})).toEqual([]);
  });

  it('catch a lease that outgrows the default overlap, which CEL cannot see', () => {
    expect(broken({ leases: { lifetimeSeconds: 811 } })).toMatchObject([
      { field: 'keyRotation.overlapSeconds', message: expect.stringContaining('at least 1802') },
    ]);
    expect(broken({ leases: { lifetimeSeconds: 810 } })).toEqual([]);
  });

  it.each([
    [
      'a rotation within the default overlap',
      { keyRotation: { everySeconds: 1800 } },
      'keyRotation.everySeconds',
    ],
    [
      'an absolute end before the default idle end',
      { authentication: { sessions: { absoluteTimeoutSeconds: 900 } } },
      IDLE,
    ],
    [
      'a required factor when none is allowed',
      { authentication: { secondFactors: { allowed: [] } } },
      'authentication.secondFactors.allowed',
    ],
  ])('catch %s', (_, spec, field) => {
    expect(broken(spec)).toMatchObject([{ field }]);
  });
});
