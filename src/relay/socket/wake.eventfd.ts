/*
 * Wakes the packet worker out of poll(2). Writing to an eventfd costs a system call, so it is done only while the
 * worker says that it sleeps; otherwise it sees CONTROL_PENDING after the batch at hand.
 */
import { writeSync } from 'node:fs';
import { CONTROL_PENDING, CONTROL_SLEEPING } from '../packet/packet-messages.js';

/** eventfd(2): a write adds this 64-bit number, in the machine's byte order, to the counter. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * Tells the worker that a message waits on one of its ports. To be called after `postMessage`, from any thread.
 * Does no more than count when the worker has an event loop (`wakeFd` undefined).
 */
export function wake(control: Int32Array, wakeFd: number | undefined): void {
  Atomics.add(control, CONTROL_PENDING, 1);
  if (wakeFd === undefined) return;
  if (Atomics.exchange(control, CONTROL_SLEEPING, 0) === 1) writeSync(wakeFd, ONE);
}
