/*
 * `call --test`: sends frames as a call does to somebody who sends them back, and says how the way is.
 */
import type { ContactSession } from '../../client/contacts/contact.session.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { TalkCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { pairs } from '../terminal/table.js';
import { answeredNumber, answerTo, CallMeter, FRAME_EVERY_MS, probeFrame } from './call-probe.js';
import { withEndpoint, type EndpointSession } from './endpoint.session.js';
import { calledAs, fingerprintMeant } from './peer-name.js';

/** What comes later than this is lost for a call. */
const LAST_ANSWERS_MS = 1_000;

/** Carries it out; gives the exit code: 1 when nothing came back. */
export function runCall(
  { peer, seconds, ...flags }: Extract<TalkCommand, { name: 'call' }>,
  report: Report,
): Promise<number> {
  return withEndpoint(flags, report, (session) =>
    peer === undefined ? answer(session) : measure(session, peer, seconds),
  );
}

/** Sends frames back until Ctrl-C. */
async function answer({ client, report, interrupted }: EndpointSession): Promise<number> {
  let count = 0;
  client.on('message', (fingerprint, channel, bytes) => {
    const frame = channel === 'call' ? answerTo(bytes) : undefined;
    if (frame === undefined) return;
    count++;
    void client
      .session(fingerprint)
      .then((session) => session.send('call', frame))
      // A lost frame is what is measured.
      .catch(() => undefined);
  });
  client.on('session', (fingerprint) => {
    const text = `${calledAs(client.contacts, fingerprint)} is here.`;
    report.event('session', { fingerprint }, text);
  });
  report.note('Measured calls are answered. End with Ctrl-C.');
  await interrupted;
  report.result({ answered: count }, [`${count} frames were sent back.`]);
  return EXIT_CODE.ok;
}

async function measure(
  { client, report, interrupted }: EndpointSession,
  peer: string,
  seconds: number,
): Promise<number> {
  const fingerprint = fingerprintMeant(client.contacts, peer);
  const session = await client.session(fingerprint);
  const meter = new CallMeter();
  let path = 'relay';
  client.on('path', (_who, kind) => (path = kind));
  client.on('message', (who, channel, bytes) => {
    const number = who === fingerprint && channel === 'call' ? answeredNumber(bytes) : undefined;
    if (number !== undefined) meter.returned(number, systemClock.monotonicMs());
  });
  report.note(`${seconds} s of frames to ${calledAs(client.contacts, fingerprint)} ...`);
  await Promise.race([sendFrames(session, meter, seconds * 1_000), interrupted]);
  const { report: result } = meter;
  const { roundTripMs: trip, jitterMs } = result;
  report.result(
    { ...result, path, relay: session.relayId },
    pairs([
      ['sent', `${result.sent} frames`],
      ['came back', `${result.returned} (${result.lossPercent} % lost)`],
      ['round trip', trip === undefined ? '-' : `${trip.p50} ms, 95 % within ${trip.p95} ms`],
      ['jitter', jitterMs === undefined ? '-' : `${jitterMs} ms`],
      ['path', `${path}, relay ${session.relayId}`],
    ]),
  );
  if (result.returned > 0) return EXIT_CODE.ok;
  report.note('Nothing came back: the other person has to run "sallyport call --test" now.');
  return EXIT_CODE.failed;
}

async function sendFrames(session: ContactSession, meter: CallMeter, ms: number): Promise<void> {
  const beganMs = systemClock.monotonicMs();
  for (let due = beganMs; due < beganMs + ms; due += FRAME_EVERY_MS) {
    await pause(due - systemClock.monotonicMs());
    session.send('call', probeFrame(meter.sent(systemClock.monotonicMs())));
  }
  await pause(LAST_ANSWERS_MS);
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
