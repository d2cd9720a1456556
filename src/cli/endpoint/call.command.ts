/*
 * `call --test`: sends frames as a call does to somebody who sends them back, and says how the way is.
 */
import { Calls, type Call } from '../../client/calls/calls.runner.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { TalkCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { counted, countsText, pairs } from '../terminal/table.js';
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
async function answer(session: EndpointSession): Promise<number> {
  const { client, report, interrupted } = session;
  const { calls, refused } = callsOf(session);
  const joined = new Map<string, Promise<Call>>();
  let count = 0;
  const back = async (fingerprint: string, frame: Uint8Array): Promise<void> => {
    const joining = joined.get(fingerprint) ?? calls.join(fingerprint);
    joined.set(fingerprint, joining);
    (await joining).send(frame);
    count++;
  };
  calls.on('frame', (fingerprint, bytes) => {
    const frame = answerTo(bytes);
    // A lost frame is what is measured.
    if (frame !== undefined) back(fingerprint, frame).catch(() => joined.delete(fingerprint));
  });
  client.on('session', (fingerprint) => {
    joined.delete(fingerprint);
    const text = `${calledAs(client.contacts, fingerprint)} is here.`;
    report.event('session', { fingerprint }, text);
  });
  report.note('Measured calls are answered. End with Ctrl-C.');
  await interrupted;
  calls.close();
  report.result({ answered: count, refused: counted(refused) }, [
    `${count} frames were sent back.`,
    ...refusedLines(refused),
  ]);
  return EXIT_CODE.ok;
}

/** Calls of this client, as the roles of both sides allow them, and the frames that were not given out, by reason. */
function callsOf({ client, identity }: EndpointSession) {
  const calls = new Calls(client, identity.context.backend, systemClock);
  const refused = new Map<string, number>();
  calls.on('refused', (_fingerprint, reason) => {
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  });
  return { calls, refused };
}

const refusedLines = (refused: ReadonlyMap<string, number>): readonly string[] =>
  [...refused].map(([reason, count]) => `${count} frames were refused: ${reason}.`);

async function measure(endpoint: EndpointSession, peer: string, seconds: number): Promise<number> {
  const { client, report, interrupted } = endpoint;
  const fingerprint = fingerprintMeant(client.contacts, peer);
  const { calls, refused } = callsOf(endpoint);
  const meter = new CallMeter();
  let path = 'relay';
  client.on('path', (_who, kind) => (path = kind));
  calls.on('frame', (who, bytes) => {
    const number = who === fingerprint ? answeredNumber(bytes) : undefined;
    if (number !== undefined) meter.returned(number, systemClock.monotonicMs());
  });
  const call = await calls.start(fingerprint);
  const { session } = call;
  report.note(`${seconds} s of frames to ${calledAs(client.contacts, fingerprint)} ...`);
  await Promise.race([sendFrames(call, meter, seconds * 1_000), interrupted]);
  const { report: result } = meter;
  const { roundTripMs: trip, jitterMs } = result;
  report.result(
    {
      ...{ ...result, path, relay: session.relayId },
      ...{ refused: counted(refused), refusedDatagrams: counted(session.refused) },
    },
    pairs([
      ['sent', `${result.sent} frames`],
      ['came back', `${result.returned} (${result.lossPercent} % lost)`],
      ['round trip', trip === undefined ? '-' : `${trip.p50} ms, 95 % within ${trip.p95} ms`],
      ['jitter', jitterMs === undefined ? '-' : `${jitterMs} ms`],
      ['path', `${path}, relay ${session.relayId}`],
      ['refused frames', countsText(refused)],
      ['refused datagrams', countsText(session.refused)],
    ]),
  );
  if (result.returned > 0) return EXIT_CODE.ok;
  report.note('Nothing came back: the other person has to run "sallyport call --test" now.');
  return EXIT_CODE.failed;
}

async function sendFrames(call: Call, meter: CallMeter, ms: number): Promise<void> {
  const beganMs = systemClock.monotonicMs();
  for (let due = beganMs; due < beganMs + ms; due += FRAME_EVERY_MS) {
    await pause(due - systemClock.monotonicMs());
    call.send(probeFrame(meter.sent(systemClock.monotonicMs())));
  }
  await pause(LAST_ANSWERS_MS);
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
