import fc from 'fast-check';

/** Single values as Kubernetes and the CRDs write them: each is valid wherever its name says. */

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

function chars(alphabet: string, maxLength: number, minLength = 0): fc.Arbitrary<string> {
  const char = fc.nat(alphabet.length - 1).map((at) => alphabet.charAt(at));
  return fc.array(char, { minLength, maxLength }).map((list) => list.join(''));
}

/** A DNS label (RFC 1123) of 1 to `maxLength` characters. */
export function dnsLabel(maxLength = 63): fc.Arbitrary<string> {
  return fc
    .tuple(chars(LOWER, 1, 1), chars(`${LOWER}${DIGITS}-`, maxLength - 2), chars(LOWER + DIGITS, 1))
    .map(([first, middle, last]) => (first + middle + last).replace(/-+$/, ''));
}

/** A DNS subdomain: labels joined by dots, never an IP address. */
export const dnsName: fc.Arbitrary<string> = fc
  .array(dnsLabel(20), { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join('.'));

/** A DNS name that is no Service's: two labels and more, the last of them nobody's namespace. */
export const publicName: fc.Arbitrary<string> = dnsName.map((name) => `${name}.example`);

/** The name of a resource of ours. */
export const resourceName: fc.Arbitrary<string> = dnsLabel(40);

/** The value of a label; may be empty. */
export const labelValue: fc.Arbitrary<string> = fc.oneof(
  fc.constant(''),
  chars(`${LOWER}${LOWER.toUpperCase()}${DIGITS}-_.`, 61).map((middle) => `v${middle}0`),
);

/** The key of a label or annotation, with and without prefix, never one of ours. */
export const labelKey: fc.Arbitrary<string> = fc
  .tuple(fc.option(dnsLabel(20), { nil: undefined }), dnsLabel(30))
  .map(([prefix, name]) => (prefix === undefined ? name : `${prefix}.example.com/${name}`));

/** The key of an annotation for a Service, without those that are orders to other programs. */
export const serviceKey: fc.Arbitrary<string> = labelKey.filter(
  (key) => !/acme|cert|secret/.test(key),
);

/** The key of an annotation for an Ingress, without those that configure its controller. */
export const ingressKey: fc.Arbitrary<string> = serviceKey.filter(
  (key) => !/snippet|config-|auth-|lua|jwt|alias|mirror|middleware|plugin/.test(key),
);

/** The value of an annotation: one line, no secret. */
export const annotationValue: fc.Arbitrary<string> = chars(`${LOWER}${DIGITS} -/:=,`, 40);

const octet = fc.integer({ min: 0, max: 255 });
const group = fc.integer({ min: 1, max: 0xffff }).map((n) => n.toString(16));

/** A network without host bits, IPv4 or IPv6, never wider than egress may be. */
export const cidr: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 223 }), octet, octet, octet, fc.integer({ min: 8, max: 32 }))
    .map(([a, b, c, d, bits]) => {
      const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const masked = (address & (0xffffffff << (32 - bits))) >>> 0;
      return `${[24, 16, 8, 0].map((shift) => (masked >>> shift) & 255).join('.')}/${bits}`;
    }),
  fc.tuple(group, group).map(([a, b]) => `2001:db8:${a}:${b}::/64`),
);

/** An IP address. */
export const ipAddress: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 223 }), octet, octet, octet).map((list) => list.join('.')),
  fc.tuple(group, group).map(([a, b]) => `2001:db8::${a}:${b}`),
);

const PORT = fc.integer({ min: 1, max: 65_535 });

/** A web origin. */
export const origin: fc.Arbitrary<string> = fc
  .tuple(dnsName, fc.option(PORT, { nil: undefined }))
  .map(([host, port]) => `https://${host}${port === undefined ? '' : `:${port}`}`);

/** A NATS server, TLS. */
export const natsServer: fc.Arbitrary<string> = fc
  .tuple(dnsName, PORT)
  .map(([host, port]) => `tls://${host}:${port}`);

/** An account's fingerprint. */
export const fingerprint: fc.Arbitrary<string> = chars(`${LOWER}234567`, 32, 32).map(
  (id) => `sp1${id}`,
);

/** The digest of an image. */
export const digest: fc.Arbitrary<string> = chars(`${DIGITS}abcdef`, 64, 64).map(
  (hex) => `sha256:${hex}`,
);

/** The registries from which random resources take their images; tests that render them allow these. */
export const REGISTRIES = ['registry.example.com', 'r.example', 'mirror:5000', '10.0.0.7:443'];

/** A registry and a repository. */
export const repository: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...REGISTRIES), fc.array(dnsLabel(20), { minLength: 1, maxLength: 3 }))
  .map(([registry, path]) => [registry, ...path].join('/'));

/** The tag of an image. */
export const tag: fc.Arbitrary<string> = fc
  .tuple(fc.nat(99), fc.nat(99), fc.nat(99))
  .map((parts) => parts.join('.'));

/** Processor time in canonical form. */
export const cpu: fc.Arbitrary<string> = fc
  .integer({ min: 1, max: 64_000 })
  .map((milli) => (milli % 1000 === 0 ? `${milli / 1000}` : `${milli}m`));

/** Memory or disk in canonical form, 128Mi and more. */
export const bytes: fc.Arbitrary<string> = fc
  .integer({ min: 128, max: 65_536 })
  .map((mebi) => (mebi % 1024 === 0 ? `${mebi / 1024}Gi` : `${mebi}Mi`));

/** A render version. */
export const renderVersion: fc.Arbitrary<string> = fc.constantFrom('Latest', '1');

/** A time to the second, UTC. */
export const time: fc.Arbitrary<string> = fc
  .integer({ min: Date.UTC(2026, 0) / 1000, max: Date.UTC(2090, 0) / 1000 })
  .map((seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));

/** A file name ending. */
export const fileType: fc.Arbitrary<string> = chars(LOWER + DIGITS, 15, 1).map(
  (type) => `.${type}`,
);

/** Why there is a legal hold. */
export const reason: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 2020, max: 2090 }), fc.nat(9999), chars(`${LOWER} `, 60))
  .map(([year, number, text]) => `Case ${year}-${number}: ${text}.`);
