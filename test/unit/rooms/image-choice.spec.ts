import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { decidePrune } from '../../../src/kubernetes/carry-out.js';
import { imageRefusal } from '../../../src/operator/pods/image.js';
import { rendersOf } from '../../../src/operator/pods/renders.js';
import type { Renders } from '../../../src/operator/pods/renders.js';
import { readOperatorSettings } from '../../../src/operator/settings.js';
import { aRelayPool, aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  condition,
  edited,
  kinds,
  observedGateway,
  planAt,
  templateOf,
} from './observed-gateway.js';
import {
  afterCarryingOut,
  all,
  observedPool,
  planPoolAt,
  POOL_SETTINGS,
} from './observed-relay-pool.js';

const SAMPLES = 'config/samples';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const image = (repository: string) => ({ image: { repository, digest: DIGEST } });

/** What the operator renders with when its settings say this. */
const renders = (...allowedRepositories: string[]): Renders =>
  rendersOf(
    readOperatorSettings(
      {
        version: 1,
        installId: 'install-1',
        namespace: 'sallyport-system',
        renders: [
          { version: 1, image: { repository: 'registry.example.com/sallyport', tag: '0.1.0' } },
        ],
        images: { allowedRepositories },
      },
      'settings.json',
    ),
  );
const WORKLOADS = ['Deployment', 'StatefulSet'];

describe('a gateway that chooses an image of its own', () => {
  const running = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });

  it('T51: is stalled unless the installation allows that repository, and what runs stays as it is', () => {
    const observed = edited(running, image('evil.example/reads-keys'));
    const strict = { renders: renders() };
    const stalled = condition(observed, 'Stalled', strict);
    expect(stalled).toMatchObject({ status: 'True', reason: 'ImageNotAllowed' });
    expect(stalled?.message).toContain('Write registry.example.com/sallyport');
    expect(stalled?.message).not.toContain('evil');
    const { plan } = planAt(observed, strict);
    expect(kinds(plan.apply).filter((kind) => WORKLOADS.includes(kind))).toEqual([]);
    expect(JSON.stringify(plan.apply)).not.toContain('evil');
    expect(decidePrune(plan, observed.children)).toEqual({ before: [], after: [] });
  });

  it('runs it when its registry is allowed', () => {
    const observed = edited(running, image('mirror:5000/team/sallyport'));
    const template = templateOf(observed, { renders: renders('mirror:5000/team') });
    expect(JSON.stringify(template)).toContain(`mirror:5000/team/sallyport@${DIGEST}`);
  });

  it('T51: is stalled with the bare name of an allowed registry, which means a repository of Docker Hub', () => {
    const observed = edited(running, image('mirror.example.com'));
    const settings = { renders: renders('mirror.example.com') };
    expect(condition(observed, 'Stalled', settings)?.reason).toBe('ImageNotAllowed');
  });

  it('runs another digest of the repository of the render without being allowed anything', () => {
    const observed = edited(running, image('registry.example.com/sallyport'));
    const template = templateOf(observed, { renders: renders() });
    expect(JSON.stringify(template)).toContain(`registry.example.com/sallyport@${DIGEST}`);
  });
});

describe('a pool that chooses an image of its own', () => {
  const spec = aRelayPool().spec;
  const running = afterCarryingOut(observedPool(aRelayPool()), all(2));
  const choosing = (repository: string) => ({
    ...running,
    pool: { ...running.pool, spec: { ...spec, ...image(repository) } },
  });

  it('T51: is stalled unless the installation allows that repository, and what runs stays as it is', () => {
    const observed = choosing('evil.example/reads-keys');
    const { plan } = planPoolAt(observed, { ...POOL_SETTINGS, renders: renders() });
    const stalled = plan.status.conditions.find(({ type }) => type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'ImageNotAllowed' });
    expect(kinds(plan.apply).filter((kind) => WORKLOADS.includes(kind))).toEqual([]);
    expect(JSON.stringify(plan.apply)).not.toContain('evil');
    expect(decidePrune(plan, observed.children)).toEqual({ before: [], after: [] });
  });

  it('runs it when its registry is allowed', () => {
    const settings = { ...POOL_SETTINGS, renders: renders('mirror:5000') };
    const { plan } = planPoolAt(choosing('mirror:5000/sallyport'), settings);
    const set = plan.apply.find(({ kind }) => kind === 'StatefulSet');
    expect(JSON.stringify(set)).toContain(`mirror:5000/sallyport@${DIGEST}`);
  });
});

describe('the settings that docs/operations.md shows', () => {
  const [json = ''] =
    /(?<=```json\n)\{[^`]*(?=```)/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  const shown = rendersOf(readOperatorSettings(JSON.parse(json), 'docs/operations.md'));

  it.each(readdirSync(SAMPLES).filter((name) => /^(gateway|pool)-/.test(name)))(
    'let config/samples/%s run its image',
    (name) => {
      const sample = load(readFileSync(`${SAMPLES}/${name}`, 'utf8')) as SignalingGateway;
      expect(imageRefusal(shown[0].image, sample.spec.image)).toBeUndefined();
    },
  );
});

describe('the repositories that an installation allows', () => {
  it.each([
    'registry.example.com/',
    'registry.example.com/*',
    'a/b:1',
    'a/b@sha256:0',
    'A/b',
    '',
    'a//b',
    '../a',
  ])('are never written as %j', (prefix) => {
    expect(() => renders(prefix)).toThrow(/images\.allowedRepositories/);
  });

  it('are registries, with or without a port and a path', () => {
    const [render] = renders('registry.example.com', 'mirror:5000', '10.0.0.7:443/team/a_b');
    expect(render.image.allowedRepositories).toHaveLength(3);
  });
});
