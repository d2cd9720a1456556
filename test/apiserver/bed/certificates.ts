// @peculiar/x509 does not load without it.
import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate and its private key, both PEM. */
export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test server. */
export interface TestCa {
  /** PEM of the CA's certificate. */
  readonly ca: string;
  /**
   * A new certificate for 127.0.0.1, localhost, the API server's service names and `addresses`, for servers and
   * for clients.
   */
  issue(commonName: string, addresses?: readonly string[]): Promise<Leaf>;
}

type Crypto = NonNullable<Parameters<typeof x509.cryptoProvider.set>[0]>;

/** A new certificate authority, valid for ten days from `now`. */
export async function createTestCa(now: Date): Promise<TestCa> {
  const notBefore = new Date(now.getTime() - DAY_MS);
  const notAfter = new Date(now.getTime() + 10 * DAY_MS);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=test bed CA',
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: keys as x509.X509CertificateCreateSelfSignedParams['keys'],
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
    ],
  });
  return {
    ca: authority.toString('pem'),
    issue: async (commonName, addresses = []) => {
      const leafKeys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${commonName}`,
        issuer: authority.subject,
        notBefore,
        notAfter,
        signingAlgorithm: ALGORITHM,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'ip', value: '127.0.0.1' },
            { type: 'dns', value: 'localhost' },
            { type: 'dns', value: 'kubernetes.default.svc' },
            ...addresses.map((value) => ({ type: 'ip' as const, value })),
          ]),
        ],
      });
      const der = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey));
      return { cert: leaf.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') };
    },
  };
}

/** The key pair with which the API server signs tokens of service accounts. */
export function serviceAccountKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** A positive serial number (RFC 5280, 4.1.2.2) in hex. */
function serial(): string {
  return `4${randomBytes(15).toString('hex')}`;
}
