/*
 * What two people do with each other in every place: become contacts, exchange a text and a file, and a call's frames.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Person } from './people.js';

/** What came of it. */
export interface Conversation {
  /** What the second person heard in the chat. */
  readonly heard: string;
  /** Whether the file that arrived is the one that was sent. */
  readonly sameFile: boolean;
  /** Frames of a call that went and that came back. */
  readonly call: { readonly sent: number; readonly returned: number };
}

/** Both end up in each other's contacts, as `a` and `b`. @throws Error with what a command line said */
export async function meet(
  [a, printOfA]: readonly [Person, string],
  [b, printOfB]: readonly [Person, string],
): Promise<void> {
  const waiting = b.run(['connect', printOfA, '--as', 'a', '--stay']);
  const asking = await a.run(['connect', printOfB, '--as', 'b']).ended;
  if (asking.code !== 0)
    throw new Error(`connect: ${asking.stderr}\n${waiting.stdout}${waiting.stderr}`);
  await waiting.says('is a contact now');
  b.interrupt(waiting);
  await waiting.ended;
}

/** A text, a file and a call from `a` to `b`, who are contacts. @throws Error with what a command line said */
export async function converse(a: Person, b: Person): Promise<Conversation> {
  return { heard: await chat(a, b), sameFile: await file(a, b), call: await call(a, b) };
}

async function chat(a: Person, b: Person): Promise<string> {
  const listening = b.run(['chat', 'a', '--stay'], { keepInput: true });
  await listening.says('a is not there now');
  const talking = a.run(['chat', 'b'], { keepInput: true });
  await talking.says('You talk to b');
  talking.type('shall we?\n');
  talking.child.stdin?.end();
  const { code, stderr } = await talking.ended;
  if (code !== 0) throw new Error(`chat: ${stderr}`);
  await listening.says('shall we?');
  b.interrupt(listening);
  return (await listening.ended).stdout;
}

async function file(a: Person, b: Person): Promise<boolean> {
  const text = randomBytes(300_000).toString('base64');
  // A name that came before would be given a number.
  const name = `plan-${randomBytes(4).toString('hex')}.txt`;
  const path = await a.put(name, text);
  const words = ['receive', '--once', '--yes', '--from', 'a', '--to', b.path('inbox')];
  const receiving = b.run(words, { keepInput: true });
  await receiving.says('Files of contacts go to');
  const sent = await a.run(['send', path, 'b']).ended;
  if (sent.code !== 0) throw new Error(`send: ${sent.stderr}`);
  await receiving.ended;
  const digest = createHash('sha256').update(text).digest('hex');
  return (await b.digest(`inbox/${name}`)) === digest;
}

async function call(a: Person, b: Person): Promise<Conversation['call']> {
  const answering = b.run(['call', '--test'], { keepInput: true });
  await answering.says('are answered');
  const words = ['call', 'b', '--test', '--seconds', '2', '--output', 'json'];
  const { code, stdout, stderr } = await a.run(words).ended;
  b.interrupt(answering);
  await answering.ended;
  if (code !== 0) throw new Error(`call: ${stderr}`);
  return JSON.parse(stdout) as Conversation['call'];
}
