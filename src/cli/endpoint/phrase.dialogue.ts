/*
 * The guided backup of a phrase: shown once on a screen of which nothing stays, written down, and typed again. Words go to
 * the terminal and come from it, whatever standard input and output are.
 */
import type { Identity } from '../../client/identity/identity.js';
import { Terminal } from '../terminal/terminal.device.js';
import { differenceText, phraseLines } from './phrase-screen.js';

const TRIES = 3;
const INSTEAD = 'Run "sallyport identity backup" at a terminal: the phrase is shown nowhere else.';

/** Whether the phrase was written down and typed again as it is; then the words are not kept here any more. */
export function backUp(identity: Identity): Promise<boolean> {
  return Terminal.with(INSTEAD, (terminal) =>
    terminal.aside(async () => {
      for (let tries = 1; tries <= TRIES; tries++) {
        const phrase = identity.phrase();
        if (phrase === undefined) return true;
        await show(terminal, phrase);
        const typed = await terminal.line('Type all the words, with blanks between them:\r\n');
        if (identity.confirmBackup(typed)) return true;
        terminal.write(`${differenceText(phrase, typed)}\r\n`);
        if (tries < TRIES) await terminal.line('Press Enter to see the phrase again. ');
      }
      return false;
    }),
  );
}

async function show(terminal: Terminal, phrase: string): Promise<void> {
  const lines = [
    'This phrase is your account. Who has it is you; without it a lost device is a lost account.',
    'Write it on paper, in this order. No photograph, no file, no mail.',
    '',
    ...phraseLines(phrase),
    '',
  ];
  terminal.write(lines.map((line) => `${line}\r\n`).join(''));
  await terminal.line('Press Enter when it is written down; then it is typed once more. ');
  terminal.clear();
}

/** The words of an account, as a person types them; a string, which cannot be erased: use it at once. */
export function askPhrase(): Promise<string> {
  return Terminal.with('Run "sallyport identity restore" at a terminal.', (terminal) =>
    terminal.aside(() =>
      terminal.line('Type the words of the phrase, with blanks between them:\r\n'),
    ),
  );
}
