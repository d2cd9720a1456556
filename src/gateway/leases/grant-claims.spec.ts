import { describe, expect, it } from '@jest/globals';
import { LeaseBed, NOON } from '../../../test/processes/gateway-leases-bed.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import type { BundleRole } from '../../policy/roles.js';
import { judgeGrant, openGrant } from '../../protocol/lease/grant.js';
import { grantClaims } from './grant-claims.js';

const aRole = (changes: Partial<BundleRole> = {}): BundleRole => ({
  name: 'member',
  permissions: [
    { resource: 'File', verbs: ['Send', 'Receive'] },
    { resource: 'Call', verbs: ['Start', 'Join'] },
  ],
  mfa: { required: false, hardwareKeyRequired: false },
  calls: { maxParticipants: 50, recording: 'Forbidden', externalParticipants: 'Forbidden' },
  assignment: 'Everyone',
  subjects: [],
  ...changes,
});
const only = (resource: 'File' | 'Call', ...verbs: BundleRole['permissions'][number]['verbs']) => [
  { resource, verbs },
];
const DEVICE = Buffer.alloc(16, 7).toString('base64url');
const claims = (
  roles: readonly BundleRole[],
  { endsAtMs = NOON + 43_200_000, from = '', secondFactorAgeSeconds = NaN } = {},
) =>
  grantClaims(
    roles,
    {
      subject: 'sp1a',
      at: new Date(NOON),
      comesFrom: (cidr) => cidr === from,
      ...(!Number.isNaN(secondFactorAgeSeconds) && { secondFactorAgeSeconds }),
    },
    DEVICE,
    endsAtMs,
  );
const NOTHING = {
  sendFiles: false,
  receiveFiles: false,
  maxFileBytes: 0,
  startCalls: false,
  joinCalls: false,
  maxParticipants: 2,
};

describe('a grant', () => {
  it('allows nothing without a role', () => {
    expect(claims([])).toMatchObject({ ...NOTHING, device: DEVICE, exp: NOON / 1_000 + 600 });
  });

  it('allows nothing by a role that has ended or is somebody else’s', () => {
    const ended = aRole({ expiresAt: new Date(NOON).toISOString() });
    const other = aRole({ assignment: 'Listed', subjects: ['sp1b'] });
    expect(claims([ended, other])).toMatchObject(NOTHING);
  });

  it('S99: says the limits of the role', () => {
    const files = { maxBytes: 100_000_000, allowedTypes: ['.pdf', '.jpg'], scan: true };
    const calls = {
      maxParticipants: 12,
      recording: 'EncryptedLocalOnly',
      externalParticipants: 'AdminApproval',
    } as const;
    expect(claims([aRole({ files, calls })])).toMatchObject({
      sendFiles: true,
      receiveFiles: true,
      maxFileBytes: 100_000_000,
      fileTypes: '.jpg .pdf',
      scanFiles: true,
      startCalls: true,
      joinCalls: true,
      ...calls,
    });
  });

  it('has every type and 2^40 bytes where the role says no limit', () => {
    expect(claims([aRole()])).toMatchObject({
      maxFileBytes: 2 ** 40,
      fileTypes: '*',
      scanFiles: false,
    });
  });

  it('is that of the more generous role as a whole: size of one and types of another are not mixed', () => {
    const large = aRole({ files: { maxBytes: 100, allowedTypes: ['.pdf'], scan: true } });
    const small = aRole({ files: { maxBytes: 1, scan: false } });
    for (const roles of [
      [large, small],
      [small, large],
    ])
      expect(claims(roles)).toMatchObject({
        maxFileBytes: 100,
        fileTypes: '.pdf',
        scanFiles: true,
      });
  });

  it('holds to the stricter of two roles where one allows sending and the other receiving', () => {
    const sender = aRole({
      permissions: only('File', 'Send'),
      files: { maxBytes: 10, allowedTypes: ['.pdf', '.png'], scan: false },
    });
    const receiver = aRole({
      permissions: only('File', 'Receive'),
      files: { maxBytes: 1_000, allowedTypes: ['.png', '.jpg'], scan: true },
    });
    expect(claims([sender, receiver])).toMatchObject({
      sendFiles: true,
      receiveFiles: true,
      maxFileBytes: 10,
      fileTypes: '.png',
      scanFiles: true,
      startCalls: false,
    });
    const none = aRole({ ...receiver, files: { allowedTypes: ['.jpg'], scan: false } });
    expect(claims([sender, none])).toMatchObject({ sendFiles: false, receiveFiles: false });
  });

  it('rests on no permission whose conditions are not met', () => {
    const conditions = { sourceCidrs: ['10.0.0.0/8'], secondFactorWithinSeconds: 300 };
    const role = aRole({ permissions: [{ resource: 'File', verbs: ['Send'], conditions }] });
    const from = '10.0.0.0/8';
    expect(claims([role], { from, secondFactorAgeSeconds: 300 }).sendFiles).toBe(true);
    expect(claims([role], { from, secondFactorAgeSeconds: 301 }).sendFiles).toBe(false);
    expect(claims([role], { secondFactorAgeSeconds: 1 }).sendFiles).toBe(false);
  });

  it('ends with the session, with a role, or after ten minutes, whichever is first', () => {
    expect(claims([aRole()], { endsAtMs: NOON + 5_900 }).exp).toBe(NOON / 1_000 + 5);
    const role = aRole({ expiresAt: new Date(NOON + 60_000).toISOString() });
    expect(claims([role, aRole()]).exp).toBe(NOON / 1_000 + 60);
  });
});

describe('a grant that was asked for', () => {
  it('is signed with the key that signs leases, for the device that asked, and holds for its peers', async () => {
    const bed = new LeaseBed();
    const types = Array.from({ length: 64 }, (_, i) => `.type${String(i).padStart(11, '0')}`);
    bed.roles = [aRole({ files: { allowedTypes: types, scan: false } })];
    const as = bed.connect('sp1a', { secondFactorAt: NOON - 1_000 });
    const answer = await bed.room.handlers['grant.issue']!({}, as);
    if (!('grant' in answer)) throw new Error('refused');
    const key = bed.keys!.all[0]!;
    const opened = openGrant(
      Buffer.from(answer.grant),
      () => key,
      (publicKey, message, signature) => nodeBackend.ed25519Verify(publicKey, message, signature),
    );
    if (typeof opened === 'string') throw new Error(opened);
    expect(opened.claims.fileTypes.split(' ')).toHaveLength(64);
    const at = { nowMs: NOON, skewSeconds: 30, device: as.caller.device, key };
    expect(judgeGrant(opened.claims, at)).toBeUndefined();
    expect(answer.expiresAt).toBe(NOON + 600_000);
    expect(await bed.count('sallyport_grants_issued_total')).toBe(1);
  });

  it('is refused while no key can sign', async () => {
    const bed = new LeaseBed();
    bed.keys = undefined;
    expect(await bed.room.handlers['grant.issue']!({}, bed.connect())).toEqual({
      refused: 'unavailable',
    });
  });

  it('takes the address of the connection for conditions', async () => {
    const bed = new LeaseBed();
    const conditions = { sourceCidrs: ['198.51.100.0/24'] };
    bed.roles = [aRole({ permissions: [{ resource: 'File', verbs: ['Send'], conditions }] })];
    const answer = await bed.room.handlers['grant.issue']!({}, bed.connect());
    if (!('grant' in answer)) throw new Error('refused');
    const payload = Buffer.from(answer.grant.split('.')[2]!, 'base64url').subarray(0, -64);
    expect(JSON.parse(payload.toString())).toMatchObject({ sendFiles: true });
  });
});
