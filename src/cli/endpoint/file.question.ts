/*
 * Whether to take a file that a contact offers: the flags decide, or the person at the terminal, one file after the other.
 */
import type { AcceptFile, OfferedFile } from '../../client/files/transfer-events.js';
import type { TalkCommand } from '../commands.js';
import { bytesText } from '../terminal/progress.js';
import { raiseInterrupt, Terminal } from '../terminal/terminal.device.js';
import type { EndpointSession } from './endpoint.session.js';
import { calledAs, fingerprintMeant } from './peer-name.js';

type ReceiveCommand = Extract<TalkCommand, { name: 'receive' }>;

const INSTEAD =
  'Run it at a terminal, or write --yes to take files without a question, best with --from PEER.';

/** Answers offers. */
export class FileQuestions {
  readonly #session: EndpointSession;
  readonly #asks: boolean;
  readonly #from: string | undefined;
  readonly #notMeant = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(session: EndpointSession, asks: boolean, from: string | undefined) {
    this.#session = session;
    this.#asks = asks;
    this.#from = from;
  }

  /** @throws ActionableError ERR_TERMINAL if there is nobody to ask; ERR_PEER for `from`. */
  static async of({ yes, from }: ReceiveCommand, session: EndpointSession): Promise<FileQuestions> {
    const { contacts } = session.client;
    const fingerprint = from === undefined ? undefined : fingerprintMeant(contacts, from);
    if (!yes) await Terminal.with(INSTEAD, () => Promise.resolve());
    return new FileQuestions(session, !yes, fingerprint);
  }

  /** Whether the offer with this id was refused because it is of somebody who was not meant. */
  isNotMeant(id: string): boolean {
    return this.#notMeant.has(id);
  }

  /** As FileTransfersOptions.accept. */
  readonly accept: AcceptFile = async (offer, signal) => {
    const { report, client } = this.#session;
    const { name, size, fingerprint, id } = offer;
    const who = calledAs(client.contacts, fingerprint);
    const text = `${who} sends ${name}, ${bytesText(size)}.`;
    report.event('offer', { name, size, from: fingerprint }, text);
    if (this.#from !== undefined && fingerprint !== this.#from) {
      this.#notMeant.add(id);
      return false;
    }
    if (!this.#asks) return true;
    // Two questions at once would share one line of the terminal.
    const answer = this.#last.then(() => this.#ask(offer, signal));
    this.#last = answer.catch(() => undefined);
    return answer;
  };

  async #ask({ name, size, fingerprint }: OfferedFile, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { contacts } = this.#session.client;
    const isVerified = contacts.find((one) => one.fingerprint === fingerprint)?.verified === true;
    const mark = isVerified ? 'verified' : 'NOT verified';
    const who = `${calledAs(contacts, fingerprint)} (${mark})`;
    const question = `Take ${name}, ${bytesText(size)}, of ${who}?`;
    const asked = Terminal.with(INSTEAD, (terminal) => terminal.confirm(question, signal));
    return asked.catch(raiseInterrupt);
  }
}
