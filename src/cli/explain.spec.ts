import { describe, expect, it } from '@jest/globals';
import { CallError } from '../client/calls/call-error.js';
import { ContactError } from '../client/contacts/contact-error.js';
import { FileTransferError } from '../client/files/transfer-error.js';
import { GatewayError } from '../client/gateway/gateway-error.js';
import { IdentityError } from '../client/identity/identity-error.js';
import { LOGIN_REFUSALS, REQUEST_REFUSALS } from '../messages/signaling.js';
import { ActionableError } from '../runtime/errors.js';
import { errorText, explain } from './explain.js';

const refused = (reason: string, retryAfterSeconds?: number) =>
  new GatewayError('ERR_GATEWAY_REFUSED', 'No.', { reason, retryAfterSeconds });

describe('an error on the command line', () => {
  it.each([
    [new ActionableError('ERR_ARGUMENT', 'Wrong.', 'Do this.'), 64],
    [new ActionableError('ERR_SETTING', 'Wrong.', 'Do this.'), 78],
    [new IdentityError('ERR_IDENTITY_PASSPHRASE', 'Wrong.', 'Again.'), 78],
    [new GatewayError('ERR_GATEWAY_AWAY', 'Nobody.'), 69],
    [new GatewayError('ERR_GATEWAY_INSECURE', 'No.'), 78],
    [refused('forbidden'), 77],
    [refused('peer-absent'), 69],
    [refused('unavailable'), 69],
    [new GatewayError('ERR_GATEWAY_LOGIN', 'No.', { reason: 'device-revoked' }), 77],
    [new ContactError('ERR_CONTACT_ABSENT', 'Nobody.'), 69],
    [new ContactError('ERR_CONTACT_NOT_ALLOWED', 'No.', 'blocked'), 77],
    [new CallError('peer-not-allowed'), 77],
    [new FileTransferError('ERR_FILE_REFUSED', 'No.', 'too-large'), 77],
    [new FileTransferError('ERR_FILE_INTERRUPTED', 'Gone.'), 69],
    [Object.assign(new Error('Stopped.'), { exitCode: 130 }), 130],
    [new Error('odd'), 1],
  ])('%s ends with %i', (error, exitCode) => {
    expect(explain(error).exitCode).toBe(exitCode);
  });

  it.each([...LOGIN_REFUSALS, ...Object.keys(REQUEST_REFUSALS)])(
    'says what to do about %s',
    (reason) => {
      expect(explain(refused(reason)).hint.length).toBeGreaterThan(10);
    },
  );

  it('says of a request that is not possible now what a login would not be told', () => {
    const login = new GatewayError('ERR_GATEWAY_LOGIN', 'No.', { reason: 'unavailable' });
    expect(explain(login).hint).toContain('log anybody in');
    expect(explain(refused('unavailable')).hint).not.toContain('log anybody in');
  });

  it('names the reason, and when to try again', () => {
    expect(explain(new ContactError('ERR_CONTACT_NOT_ALLOWED', 'No.', 'blocked')).problem).toBe(
      'No. (blocked)',
    );
    expect(explain(refused('too-many', 30)).hint).toContain('Try again in 30 s.');
  });

  it('is two lines of text, or one of JSON where that was asked for', () => {
    const error = new ActionableError('ERR_SETTING', 'Wrong.', 'Do this.');
    expect(errorText(error, ['status'])).toEqual({ text: 'Wrong.\nDo this.\n', exitCode: 78 });
    const json = '{"error":{"code":"ERR_SETTING","problem":"Wrong.","hint":"Do this."}}\n';
    expect(errorText(error, ['status', '--output', 'json']).text).toBe(json);
    expect(errorText(error, ['status', '--output=json']).text).toBe(json);
    expect(errorText(error, ['json']).text).toBe('Wrong.\nDo this.\n');
  });

  it('drives no terminal, whatever it names', () => {
    const hostile = new ActionableError('ERR_SETTING', 'a\u001b[2J\nb\u202e', 'c\u009b');
    expect(errorText(hostile, ['status']).text).toBe('a\\u001b[2J\\nb\\u202e\nc\\u009b\n');
  });
});
