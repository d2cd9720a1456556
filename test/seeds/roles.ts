/*
 * The roles of the second seed, as a gateway has them after `sallyport role import`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { AccessRole } from '../../src/kinds/access-role.gen.js';
import type { SignalingGateway } from '../../src/kinds/signaling-gateway.gen.js';
import { importRoles, type RoleFile } from '../../src/policy/role-import.js';
import { rolesOn, type BundleRole } from '../../src/policy/roles.js';
import { aFingerprint, aSignalingGateway } from '../builders.js';

const gateway: SignalingGateway = aSignalingGateway({});

/** Who has which role. */
export const HOLDERS = {
  admin: aFingerprint('admin'),
  user: aFingerprint('user'),
  guest: aFingerprint('guest'),
} as const;

/** The file as it stands beside this one. */
export const seedRoleFile = (): RoleFile =>
  load(readFileSync(join(import.meta.dirname, 'roles.yaml'), 'utf8')) as RoleFile;

/** Its AccessRoles. */
export function seedAccessRoles(): readonly AccessRole[] {
  const { namespace = 'default', name } = gateway.metadata;
  const roles = importRoles(seedRoleFile(), { namespace, gateways: [name] });
  if ('problems' in roles) throw new Error(JSON.stringify(roles.problems));
  return roles;
}

/** They as the bundle carries them, each with its holder. */
export function seedBundleRoles(now: Date): readonly BundleRole[] {
  const given = seedAccessRoles().map((role) => {
    const holder = HOLDERS[role.metadata.name as keyof typeof HOLDERS];
    return { ...role, spec: { ...role.spec, subjects: [holder] } };
  });
  return rolesOn(gateway, given, now);
}
