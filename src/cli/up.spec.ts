import { describe, expect, it } from '@jest/globals';
import { changedRows, isStalled, rowLine, rowOf, tableLines } from './resource-table.js';
import { Screen } from './terminal.screen.js';

const aGateway = (observedGeneration: number, conditions: object[]) => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  metadata: { name: 'edge', namespace: 'office', generation: 2 },
  status: { observedGeneration, conditions },
});
const condition = (type: string, status: string, reason: string) => ({
  type,
  status,
  reason,
  message: `${reason}.`,
});

describe('the table of resources', () => {
  it('shows Ready, and Stalled before it', () => {
    const ready = condition('Ready', 'False', 'ReplicasNotReady');
    expect(rowOf(aGateway(2, [ready]), 11)).toEqual({
      kind: 'SignalingGateway',
      name: 'office/edge',
      ready: 'False',
      reason: 'ReplicasNotReady',
      message: 'ReplicasNotReady.',
      objects: 11,
    });
    expect(
      rowOf(aGateway(2, [ready, condition('Stalled', 'True', 'SecretMissing')]), 0).reason,
    ).toBe('SecretMissing');
  });

  it('says that an old status is old', () => {
    expect(rowOf(aGateway(1, [condition('Ready', 'True', 'AllReady')]), 0)).toMatchObject({
      ready: 'Unknown',
      reason: 'Waiting',
    });
  });

  it('knows what is stalled in its present form', () => {
    expect(isStalled(aGateway(2, [condition('Ready', 'False', 'ReplicasNotReady')]))).toBe(false);
    expect(isStalled(aGateway(1, []))).toBe(false);
    expect(isStalled(aGateway(2, [condition('Stalled', 'True', 'X')]))).toBe(true);
  });

  it('fits the terminal and lets no message draw on it', () => {
    const row = { ...rowOf(aGateway(2, []), 3), message: `\u001b[2J\n${'x'.repeat(500)}` };
    const lines = tableLines([row], 100);
    expect(lines).toHaveLength(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.join('')).toMatch(/^[\x20-\x7e…]+$/);
    expect(lines[0]).toMatch(/^KIND +NAME +READY +OBJECTS +REASON +MESSAGE$/);
  });

  it('lists only what changed where nothing can be redrawn', () => {
    const before = rowOf(aGateway(1, []), 0);
    const after = rowOf(aGateway(2, [condition('Ready', 'True', 'AllReady')]), 11);
    expect(changedRows([before], [before])).toEqual([]);
    expect(changedRows([before], [after]).map(rowLine)).toEqual([
      'SignalingGateway office/edge Ready=True AllReady (11 objects): AllReady.',
    ]);
  });

  it('is drawn over itself', () => {
    const written: string[] = [];
    const screen = new Screen({ write: (text: string) => written.push(text) });
    screen.draw(['a', 'b']);
    screen.draw(['c']);
    expect(written[1]).toBe('\u001b[2A\r\u001b[2Kc\n\u001b[2K\n\u001b[1A\r');
  });
});
