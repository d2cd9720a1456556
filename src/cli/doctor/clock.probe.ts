/*
 * The clock of a gateway: it names its time in the challenge, before anybody logs in.
 */
import { GatewayLink } from '../../client/gateway/gateway.link.js';
import type { GatewayPlace } from '../../client/gateway/gateway-place.js';
import { readFromGateway } from '../../client/gateway/signaling-reader.js';
import { systemClock } from '../../runtime/system.clock.js';
import { judgeClock } from './clock-offset.js';
import { finding, type Finding } from './finding.js';

const WITHIN_MS = 8_000;

/** Findings about the challenge and the clock. The certificates are judged before anything is sent. */
export function probeClock(place: GatewayPlace): Promise<Finding> {
  return new Promise((resolve) => {
    const beganMs = systemClock.monotonicMs();
    const end = (result: Finding): void => {
      clearTimeout(timer);
      resolve(result);
      link.close();
    };
    const failed = (why: string): void => {
      const hint = 'Something else may answer there: see the other findings.';
      end(finding('signaling', 'failed', `no challenge came: ${why}`, hint));
    };
    const nowMs = (): number => systemClock.now().getTime();
    const link = new GatewayLink(
      place,
      {
        open: () => undefined,
        text: (text) => {
          const message = readFromGateway(text);
          if (typeof message === 'string' || message.type !== 'challenge') failed('not a gateway');
          else end(judgeClock(message.at - nowMs(), systemClock.monotonicMs() - beganMs));
        },
        ended: failed,
      },
      nowMs,
    );
    const timer = setTimeout(() => {
      failed('no answer in time');
    }, WITHIN_MS);
  });
}
