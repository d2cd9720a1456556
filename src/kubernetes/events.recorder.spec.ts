import { describe, expect, it } from '@jest/globals';
import { EventsRecorder } from './events.recorder.js';
import type { KubernetesObject } from './object.js';
import type { PlannedEvent } from './plan.js';

const NOON = new Date('2030-01-01T12:00:00Z');
const gateway: KubernetesObject = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  metadata: { name: 'edge', namespace: 'talk', uid: 'gw-1', resourceVersion: '7' },
};
const event = (note: string): PlannedEvent => ({ type: 'Normal', reason: 'Rotated', note });

/** A recorder whose calls the test answers. */
function aRecorder(answer: (object: KubernetesObject) => Promise<KubernetesObject>) {
  const dropped: string[] = [];
  const sent: KubernetesObject[] = [];
  const time = { ms: 0 };
  const recorder = new EventsRecorder({
    client: {
      create: (object) => {
        sent.push(object);
        return answer(object);
      },
    },
    clock: { now: () => NOON, monotonicMs: () => time.ms },
    instance: 'operator-0',
    onDropped: (reason) => dropped.push(reason),
  });
  return { recorder, sent, dropped, time };
}

describe('an event', () => {
  it('is an events.k8s.io/v1 Event about the resource, in its namespace', async () => {
    const { recorder, sent } = aRecorder((object) => Promise.resolve(object));
    recorder.record(gateway, [event('Keys were rotated.')]);
    await recorder.flushed();
    expect(sent).toMatchObject([
      {
        apiVersion: 'events.k8s.io/v1',
        metadata: { name: expect.stringMatching(/^edge\.[0-9a-f]{16}$/), namespace: 'talk' },
        eventTime: '2030-01-01T12:00:00.000000Z',
        reportingController: 'sallyport.dev/operator',
        reportingInstance: 'operator-0',
        action: 'Reconcile',
        type: 'Normal',
        reason: 'Rotated',
        note: 'Keys were rotated.',
        regarding: { kind: 'SignalingGateway', name: 'edge', namespace: 'talk', uid: 'gw-1' },
      },
    ]);
  });

  it('is told once, and again after an hour; another note is another event', async () => {
    const { recorder, sent, time } = aRecorder((object) => Promise.resolve(object));
    recorder.record(gateway, [event('a'), event('a'), event('b')]);
    time.ms = 3_599_000;
    recorder.record(gateway, [event('a')]);
    await recorder.flushed();
    expect(sent).toHaveLength(2);
    time.ms = 3_601_000;
    recorder.record(gateway, [event('a')]);
    await recorder.flushed();
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ metadata }) => metadata.name)).size).toBe(3);
  });

  it('that cannot be sent is dropped and counted, and holds up no other', async () => {
    const { recorder, sent, dropped } = aRecorder((object) =>
      object['note'] === 'a' ? Promise.reject(new Error('away')) : Promise.resolve(object),
    );
    recorder.record(gateway, [event('a'), event('b')]);
    await recorder.flushed();
    expect(sent).toHaveLength(2);
    expect(dropped).toEqual(['Failed']);
  });

  it('waits in a bounded queue while the API server hangs: recording never waits', () => {
    const { recorder, dropped } = aRecorder(() => new Promise(() => undefined));
    recorder.record(
      gateway,
      Array.from({ length: 300 }, (_, index) => event(`note ${index}`)),
    );
    expect(dropped.length).toBe(44);
    expect(new Set(dropped)).toEqual(new Set(['Full']));
  });
});
