/*
 * `factors add` and `factors codes`: secrets that are shown once, at the terminal only.
 */
import { renderUnicodeCompact } from 'uqr';
import { plainText } from '../../runtime/json-line.js';
import { Terminal } from '../terminal/terminal.device.js';
import type { EndpointSession } from './endpoint.session.js';
import { requestProven } from './second-factor.dialogue.js';

const INSTEAD = 'Run it at a terminal: the secret is shown nowhere else.';
const LABEL = 'sallyport';
const MAX_URI_CHARACTERS = 512;

/** A new generator of one-time codes: its secret as a QR code, and a code of it typed to show that it works. */
export async function addGenerator({ client, report }: EndpointSession): Promise<void> {
  const { factor } = await Terminal.with(INSTEAD, async (terminal) => {
    const { uri } = await requestProven(client, 'factor.totp.begin', {});
    return terminal.aside(async () => {
      const shown = plainText(uri, MAX_URI_CHARACTERS);
      const lines = ['Scan this with your generator of codes:', ...qr(uri), shown, ''];
      terminal.write(lines.map((line) => `${line}\r\n`).join(''));
      const code = await codeTyped(terminal);
      return client.request('factor.totp.confirm', { code, label: LABEL });
    });
  });
  report.result({ factor, kind: 'TOTP' }, [
    'The generator counts from now on. Take recovery codes as well: sallyport factors codes.',
  ]);
}

async function codeTyped(terminal: Terminal): Promise<string> {
  for (;;) {
    const code = (await terminal.line('Six digits that it shows now: ')).replace(/\s/g, '');
    if (/^\d{6}$/.test(code)) return code;
  }
}

/** Ten new recovery codes. */
export async function renewCodes({ client, report }: EndpointSession): Promise<void> {
  const count = await Terminal.with(INSTEAD, async (terminal) => {
    const { codes } = await requestProven(client, 'factor.recovery-codes.renew', {});
    return terminal.aside(async () => {
      const lines = ['Write these codes on paper. Each counts once; older ones are worthless.', ''];
      const shown = codes.map((code) => `    ${plainText(code, 40)}`);
      terminal.write([...lines, ...shown, ''].map((line) => `${line}\r\n`).join(''));
      await terminal.line('Press Enter when they are written down. ');
      return codes.length;
    });
  });
  report.result({ codes: count }, [`${count} recovery codes count from now on.`]);
}

const qr = (text: string): readonly string[] =>
  renderUnicodeCompact(text, { border: 2 }).split('\n');
