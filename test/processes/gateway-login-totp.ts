import { generateSync } from 'otplib';
import { isRefused } from '../../src/gateway/caller.js';
import type { LoginBed, TestConnection } from './gateway-login-bed.js';

/** An app that shows codes, made from what the gateway gave. */
export interface CodeApp {
  readonly factor: string;
  /** The code at the bed's clock, some seconds later or earlier. */
  code(laterSeconds?: number): string;
}

/** The code of `secret` at `ms`. */
export const codeAt = (secret: Uint8Array, ms: number): string =>
  generateSync({ secret, epoch: Math.floor(ms / 1_000) });

/** Enrols an app on `connection`; uses up the code of this step. */
export async function enrolTotp(bed: LoginBed, connection: TestConnection): Promise<CodeApp> {
  const begun = await bed.request(connection, 'factor.totp.begin', {});
  if (isRefused(begun)) throw new Error(begun.refused);
  const secret = Buffer.from(begun.secret, 'base64url');
  const code = (later = 0) => codeAt(secret, bed.clock.ms + later * 1_000);
  const body = { code: code(), label: 'phone' };
  const done = await bed.request(connection, 'factor.totp.confirm', body);
  if (isRefused(done)) throw new Error(done.refused);
  return { factor: done.factor, code };
}
