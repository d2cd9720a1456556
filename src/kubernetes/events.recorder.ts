import { createHash } from 'node:crypto';

import type { Clock } from '../runtime/clock.js';
import type { FencedClient } from './fenced.client.js';
import { microTime } from './leader-lease.js';
import { FIELD_MANAGER } from './metadata.js';
import type { KubernetesObject } from './object.js';
import type { PlannedEvent } from './plan.js';

/** The same thing is not told twice within this time. */
const REPEAT_AFTER_MS = 60 * 60_000;
/** Events that wait to be sent; further ones are dropped and counted: a reconcile never waits for one. */
const MAX_WAITING = 256;
/** Remembered events; the oldest are forgotten first. */
const MAX_REMEMBERED = 4096;
/** events.k8s.io/v1, `note`. */
const MAX_NOTE_CHARS = 1024;

export interface RecorderOptions {
  readonly client: Pick<FencedClient, 'create'>;
  readonly clock: Clock;
  /** Name of this process in events. */
  readonly instance: string;
  readonly onDropped: (reason: 'Full' | 'Failed') => void;
}

/** Records events on resources: deduplicated, bounded, in the background. */
export class EventsRecorder {
  readonly #options: RecorderOptions;
  readonly #told = new Map<string, number>();
  readonly #waiting: KubernetesObject[] = [];
  #sending: Promise<void> | undefined;
  #count = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Queues `events` about `regarding`, without those that were told before. Never throws and never waits. */
  record(regarding: KubernetesObject, events: readonly PlannedEvent[]): void {
    for (const event of events) {
      if (this.#isRepeat(regarding, event)) continue;
      if (this.#waiting.length >= MAX_WAITING) this.#options.onDropped('Full');
      else this.#waiting.push(this.#event(regarding, event));
    }
    if (this.#waiting.length > 0) this.#sending ??= this.#send();
  }

  /** Resolves when everything queued so far is sent or dropped. */
  async flushed(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  async #send(): Promise<void> {
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      try {
        await this.#options.client.create(event, FIELD_MANAGER, 'Event');
      } catch {
        this.#options.onDropped('Failed'); // An event is a hint; status says the same.
      }
    }
    this.#sending = undefined;
  }

  #isRepeat({ metadata: { uid = '' } }: KubernetesObject, event: PlannedEvent): boolean {
    const id = `${uid}/${event.type}/${event.reason}/${event.note}`;
    const nowMs = this.#options.clock.monotonicMs();
    const toldMs = this.#told.get(id);
    if (toldMs !== undefined && nowMs - toldMs < REPEAT_AFTER_MS) return true;
    this.#told.delete(id); // To the end of the map's order.
    this.#told.set(id, nowMs);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    return false;
  }

  /** Kubernetes, events.k8s.io/v1 Event. */
  #event(regarding: KubernetesObject, event: PlannedEvent): KubernetesObject {
    const { clock, instance } = this.#options;
    const { apiVersion, kind, metadata } = regarding;
    const now = clock.now();
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: this.#name(metadata.name, now),
        namespace: metadata.namespace ?? 'default',
      },
      eventTime: microTime(now),
      reportingController: 'sallyport.dev/operator',
      reportingInstance: instance.slice(0, 128),
      action: 'Reconcile',
      type: event.type,
      reason: event.reason,
      note: event.note.slice(0, MAX_NOTE_CHARS),
      regarding: {
        apiVersion,
        kind,
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
    };
  }

  /** `NAME.HEX`, as other recorders name theirs; the hex part is unique for this process at this time. */
  #name(name: string, now: Date): string {
    this.#count += 1;
    const seed = `${this.#options.instance}/${now.getTime()}/${this.#count}`;
    const digest = createHash('sha256').update(seed).digest('hex').slice(0, 16);
    return `${name.slice(0, 230)}.${digest}`;
  }
}
