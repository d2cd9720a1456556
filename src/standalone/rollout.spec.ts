import { describe, expect, it } from '@jest/globals';
import { AddressBook } from './address-book.js';
import { isSelected, workloadsIn, type Workload } from './pods.js';
import { nextStep, type LivePod } from './rollout.js';

const aStatefulSet = ({ replicas = 2, partition = 0, image = 'one' } = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'office', name: 'near-relay', generation: 3 },
  spec: {
    replicas,
    updateStrategy: { rollingUpdate: { partition } },
    volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    template: {
      metadata: { labels: { component: 'relay' } },
      spec: { containers: [{ name: 'relay', image }], terminationGracePeriodSeconds: 20 },
    },
  },
});

function only(workloads: readonly Workload[]): Workload {
  const [workload] = workloads;
  if (workload === undefined) throw new Error('there is no workload');
  return workload;
}
const workloadOf = (options: Parameters<typeof aStatefulSet>[0]): Workload =>
  only(workloadsIn([aStatefulSet(options)]));
const live = (workload: Workload, ready = true): LivePod[] =>
  workload.pods.map((pod) => ({ pod, ready, stopping: false }));

describe('the pods of a StatefulSet of two', () => {
  const [first, second] = workloadOf({}).pods;

  it('have names, claims and a label of their own', () => {
    expect([first?.id, second?.id]).toEqual(['office/near-relay-0', 'office/near-relay-1']);
    expect(second?.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-near-relay-1' } },
    ]);
    expect(second?.graceSeconds).toBe(20);
  });

  it('are reached by Services that select all of them, or one by its name', () => {
    if (second === undefined) throw new Error('there is no second pod');
    expect(isSelected({ component: 'relay' }, second)).toBe(true);
    expect(isSelected({ 'statefulset.kubernetes.io/pod-name': 'near-relay-1' }, second)).toBe(true);
    expect(isSelected({ 'statefulset.kubernetes.io/pod-name': 'near-relay-0' }, second)).toBe(
      false,
    );
    expect(isSelected({}, second)).toBe(false);
  });
});

describe('the next step of a workload', () => {
  const old = workloadOf({ image: 'one' });
  const fresh = (partition: number) => workloadOf({ image: 'two', partition });

  it('starts what is missing and counts what is there', () => {
    const { start, stop, status } = nextStep(old, live(old).slice(0, 1));
    expect(start.map(({ name }) => name)).toEqual(['near-relay-1']);
    expect(stop).toEqual([]);
    expect(status).toMatchObject({ observedGeneration: 3, replicas: 1, readyReplicas: 1 });
  });

  it('replaces one pod at a time, the highest first, and none below the partition', () => {
    expect(nextStep(fresh(0), live(old)).stop).toEqual(['office/near-relay-1']);
    expect(nextStep(fresh(2), live(old)).stop).toEqual([]);
    const half = [...live(old).slice(0, 1), ...live(fresh(0)).slice(1)];
    expect(nextStep(fresh(1), half).stop).toEqual([]);
    expect(nextStep(fresh(0), half).stop).toEqual(['office/near-relay-0']);
  });

  it('waits until the pod that was replaced is ready', () => {
    const half = [...live(old).slice(0, 1), ...live(fresh(0), false).slice(1)];
    expect(nextStep(fresh(0), half).stop).toEqual([]);
  });

  it('goes on when what stands with the old template never worked', () => {
    expect(nextStep(fresh(0), live(old, false)).stop).toEqual(['office/near-relay-1']);
  });

  it('ends pods that the workload no longer wants', () => {
    expect(nextStep(workloadOf({ replicas: 1 }), live(old)).stop).toEqual(['office/near-relay-1']);
  });

  it('says how far the newest template has come', () => {
    const { status } = nextStep(fresh(0), live(old));
    expect(status.updatedReplicas).toBe(0);
    expect(status.currentRevision).toBe(old.revision);
    expect(status.updateRevision).toBe(fresh(0).revision);
    expect(nextStep(old, live(old)).status.currentRevision).toBe(old.revision);
  });
});

describe('addresses of pods', () => {
  it('stay with their pod, begin at 127.0.0.1, and are given again when they are free', () => {
    const book = new AddressBook();
    expect([book.of('a'), book.of('b'), book.of('a')]).toEqual([
      '127.0.0.1',
      '127.0.0.2',
      '127.0.0.1',
    ]);
    book.forget('a');
    expect(book.of('c')).toBe('127.0.0.1');
  });

  it('end', () => {
    const book = new AddressBook();
    for (let i = 0; i < 254; i += 1) book.of(String(i));
    expect(() => book.of('one more')).toThrow(RangeError);
  });
});
