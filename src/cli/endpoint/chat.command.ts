/*
 * `chat PEER`: lines of standard input go to the contact, and its lines to standard output. Nothing is kept anywhere.
 */
import { createInterface } from 'node:readline';
import type { Delivery } from '../../client/contacts/chats.js';
import { plainText } from '../../runtime/json-line.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import type { TalkCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { isAbsence, withEndpoint, type EndpointSession } from './endpoint.session.js';
import { calledAs, fingerprintMeant } from './peer-name.js';

/** A message of 65,536 bytes at most; a line of a terminal that is longer does not exist. */
const MAX_SHOWN_CHARACTERS = 65_536;
/** How long to wait for the last deliveries. */
const DELIVERED_WITHIN_MS = 30_000;

/** Carries it out; gives the exit code: 69 when a line was not delivered. */
export function runChat(
  command: Extract<TalkCommand, { name: 'chat' }>,
  report: Report,
): Promise<number> {
  return withEndpoint(command, report, async (session) => {
    const { client } = session;
    const fingerprint = fingerprintMeant(client.contacts, command.peer);
    const chat = new LineChat(fingerprint, session);
    const isThere = await client.session(fingerprint).then(
      () => true,
      (error: unknown) => {
        if (!command.stay || !isAbsence(error)) throw error;
        return false;
      },
    );
    const where = isThere ? `You talk to ${chat.name}.` : `${chat.name} is not there now.`;
    report.note(`${where} ${chat.mark} End with Ctrl-${command.stay ? 'C' : 'D'}.`);
    await chat.linesUntil(session.interrupted);
    await chat.settled();
    if (command.stay) await session.interrupted;
    return chat.failed === 0 ? EXIT_CODE.ok : EXIT_CODE.unavailable;
  });
}

class LineChat {
  readonly #fingerprint: string;
  readonly #session: EndpointSession;
  readonly #open = new Set<string>();
  #failed = 0;
  #wake: () => void = () => undefined;

  constructor(fingerprint: string, session: EndpointSession) {
    this.#fingerprint = fingerprint;
    this.#session = session;
    const { client, report } = session;
    client.on('text', (from, text, id) => {
      const name = calledAs(client.contacts, from);
      const line = `${name}: ${plainText(text, MAX_SHOWN_CHARACTERS)}`;
      report.event('text', { from, text, id }, line);
    });
    client.on('delivery', (delivery) => {
      this.#delivery(delivery);
    });
  }

  /** Lines that were not delivered. */
  get failed(): number {
    return this.#failed + this.#open.size;
  }

  get name(): string {
    return calledAs(this.#session.client.contacts, this.#fingerprint);
  }

  get mark(): string {
    const { contacts } = this.#session.client;
    const contact = contacts.find(({ fingerprint }) => fingerprint === this.#fingerprint);
    return contact?.verified === true ? 'Verified.' : 'NOT verified: sallyport verify.';
  }

  /** Sends each line of the input until its end. */
  async linesUntil(interrupted: Promise<unknown>): Promise<void> {
    const lines = createInterface({ input: process.stdin });
    void interrupted.then(() => {
      lines.close();
    });
    for await (const line of lines) if (line !== '') this.#send(line);
    process.stdin.destroy();
  }

  /** Resolves when it is known of each line what became of it, or after 30 s. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DELIVERED_WITHIN_MS).unref();
      void this.#session.interrupted.then(() => {
        resolve();
      });
      this.#wake = () => {
        if (this.#open.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
  }

  #send(line: string): void {
    this.#open.add(this.#session.client.send(this.#fingerprint, line));
  }

  #delivery({ id, state, reason }: Delivery): void {
    const { report } = this.#session;
    const why = reason === undefined ? '' : ` (${reason})`;
    if (report.format === 'json') report.event('delivery', { id, state, reason }, '');
    else if (state === 'failed') report.note(`A line was NOT delivered${why}; nothing is kept.`);
    else if (state === 'late') report.note('A line is on its way for 10 s already.');
    if (state === 'failed') this.#failed++;
    if (state === 'failed' || state === 'delivered') {
      this.#open.delete(id);
      this.#wake();
    }
  }
}
