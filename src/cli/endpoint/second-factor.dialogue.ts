/*
 * Asks the person for a second factor, at login and for what needs one anew (step-up).
 */
import type { FactorKind, FactorProof } from '../../messages/fields.js';
import type { AnswerBody, RequestBody, RequestName } from '../../messages/requests.js';
import type { Client } from '../../client/contacts/client.runner.js';
import type { SecondFactorWanted } from '../../client/gateway/gateway.connection.js';
import { GatewayError } from '../../client/gateway/gateway-error.js';
import { Interrupted, Terminal } from '../terminal/terminal.device.js';
import { proofOf, questionFor } from './second-factor.js';

const INSTEAD = 'Run it at a terminal: a code of a second factor has to be typed.';

/** A proof for one of `kinds`; undefined if the person has none that can be typed. */
async function ask(kinds: readonly FactorKind[], left?: number): Promise<FactorProof | undefined> {
  const question = questionFor(kinds, left);
  if (question === undefined) return undefined;
  return Terminal.with(INSTEAD, async (terminal) => {
    for (;;) {
      const typed = await terminal.line(question);
      if (typed.trim() === '') return undefined;
      const proof = proofOf(typed, kinds);
      if (proof !== undefined) return proof;
      terminal.write('That is no code.\r\n');
    }
  });
}

/** As ClientOptions.secondFactor. Ctrl-C at the question ends the command, and the login is not told that nobody answers. */
export const askSecondFactor = ({
  kinds,
  attemptsLeft,
}: SecondFactorWanted): Promise<FactorProof | undefined> =>
  ask(kinds, attemptsLeft).catch(async (error: unknown) => {
    if (!(error instanceof Interrupted)) throw error;
    process.kill(process.pid, 'SIGINT');
    return new Promise(() => undefined);
  });

/** Asks the gateway; if it wants a second factor anew, asks the person and then the gateway again. @throws GatewayError. */
export async function requestProven<Name extends RequestName>(
  client: Client,
  name: Name,
  body: RequestBody<Name>,
): Promise<AnswerBody<Name>> {
  try {
    return await client.request(name, body);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'step-up-needed') throw error;
    const { kinds } = await client.request('step-up.begin', {});
    const proof = await ask(kinds);
    if (proof === undefined) throw error;
    await client.request('step-up.prove', { proof });
    return client.request(name, body);
  }
}
