// @peculiar/x509 does not load without it.
import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

type Crypto = NonNullable<Parameters<typeof x509.cryptoProvider.set>[0]>;
x509.cryptoProvider.set(webcrypto as unknown as Crypto); // The same object; two libraries describe it.

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate of a relay pool with its key, PEM, and what a client knows of it. */
export interface TestLeaf {
  readonly certificate: string;
  readonly key: string;
  readonly pin: string;
  readonly identity: string;
}

/** A self-signed leaf for `identity`, valid for a day around now, or from `notBefore` to `notAfter`. */
export async function aLeaf(
  identity = 'spiffe://test.sallyport/ns/edge/RelayPool/eu',
  notBefore = new Date(Date.now() - DAY_MS),
  notAfter = new Date(Date.now() + DAY_MS),
): Promise<TestLeaf> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: '',
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: keys as x509.X509CertificateCreateSelfSignedParams['keys'],
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identity }])],
  });
  const certificate = made.toString('pem');
  const der = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const spki = new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' });
  return {
    certificate,
    key: x509.PemConverter.encode(der, 'PRIVATE KEY'),
    pin: `sha256/${createHash('sha256').update(spki).digest('base64')}`,
    identity,
  };
}
