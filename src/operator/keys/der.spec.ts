import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { X509Certificate as Judge } from '@peculiar/x509';
import { describe, expect, it } from '@jest/globals';

import { caName, generateCertificateKey, issueCa, issueLeaf } from './certificates.x509.js';

const issuer = { key: generateCertificateKey(), commonName: caName('k'.repeat(22)) };
const request = {
  namespace: 'chat',
  dnsNames: ['*.example.com', 'example.com'],
  ipAddresses: ['127.0.0.1', '::1'],
  uri: 'spiffe://prod.sallyport/ns/chat/RelayPool/eu',
  usages: ['serverAuth'],
} as const;
const validity = { notBefore: '2026-03-01T12:00:00Z', notAfter: '2026-03-31T12:00:00Z' };

describe('a certificate', () => {
  const key = generateCertificateKey();
  const { der, serial } = issueLeaf(issuer, validity, request, key);

  it('is read by @peculiar/x509 and by OpenSSL, which agree with what was asked', () => {
    const judge = new Judge(der);
    expect(judge.serialNumber).toBe(serial);
    expect(judge.issuer).toBe(`CN=${issuer.commonName}`);
    expect(judge.subject).toBe('');
    expect(judge.notBefore.toISOString()).toBe('2026-03-01T12:00:00.000Z');
    expect(judge.notAfter.toISOString()).toBe('2026-03-31T12:00:00.000Z');
    expect(Buffer.from(judge.publicKey.rawData)).toEqual(key.spki);
    expect(new X509Certificate(der).subjectAltName).toBe(
      'DNS:*.example.com, DNS:example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' +
        'URI:spiffe://prod.sallyport/ns/chat/RelayPool/eu',
    );
  });

  it('is DER: read and written again it is the same bytes', () => {
    expect(Buffer.from(new Judge(der).rawData)).toEqual(der);
    expect(new Judge(der).extensions.map(({ type, critical }) => [type, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
      ['2.5.29.37', false],
      ['2.5.29.17', true],
      ['2.5.29.14', false],
      ['2.5.29.35', false],
    ]);
  });

  it('names its issuer by the key id that the CA carries', () => {
    const ca = new X509Certificate(issueCa(issuer, validity).der);
    expect(new X509Certificate(der).checkIssued(ca)).toBe(true);
    expect(new X509Certificate(der).verify(ca.publicKey)).toBe(true);
    expect(new X509Certificate(der).verify(new X509Certificate(der).publicKey)).toBe(false);
  });

  it('after 2049 is dated in GeneralizedTime', () => {
    const late = { notBefore: '2049-12-31T23:59:59Z', notAfter: '2050-01-01T00:00:00Z' };
    const certificate = new X509Certificate(issueLeaf(issuer, late, request, key).der);
    expect(certificate.validFromDate.toISOString()).toBe('2049-12-31T23:59:59.000Z');
    expect(certificate.validToDate.toISOString()).toBe('2050-01-01T00:00:00.000Z');
    expect(certificate.raw.toString('latin1')).toContain('491231235959Z');
    expect(certificate.raw.toString('latin1')).toContain('20500101000000Z');
  });

  it.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1::2::3', '1:2:3', '1:2:3:4:5:6:7:8:9', 'g::'])(
    'refuses %j as an address',
    (address) => {
      const odd = { ...request, ipAddresses: [address] };
      expect(() => issueLeaf(issuer, validity, odd, key)).toThrow(TypeError);
    },
  );

  it.each(['exämple.com', 'a b', 'a\nb', ''])('refuses %j as a name', (name) => {
    const odd = { ...request, dnsNames: [name] };
    expect(() => issueLeaf(issuer, validity, odd, key)).toThrow(TypeError);
  });

  it('holds hundreds of names', () => {
    const dnsNames = Array.from({ length: 300 }, (_, index) => `host-${index}.example.com`);
    const large = new X509Certificate(
      issueLeaf(issuer, validity, { ...request, dnsNames }, key).der,
    );
    expect(large.checkHost('host-299.example.com')).toBeDefined();
  });

  it('has a serial of its own, positive and of 16 bytes', () => {
    const serials = Array.from(
      { length: 200 },
      () => issueLeaf(issuer, validity, request, key).serial,
    );
    expect(new Set(serials).size).toBe(200);
    for (const one of serials) expect(one).toMatch(/^[4-7][0-9a-f]{31}$/);
  });
});

describe('issuing', () => {
  it('takes well under two milliseconds of CPU for a leaf with two new keys', () => {
    const leaf = () => {
      generateCertificateKey();
      return issueLeaf(issuer, validity, request, generateCertificateKey());
    };
    for (let index = 0; index < 100; index += 1) leaf();
    const before = process.cpuUsage();
    for (let index = 0; index < 300; index += 1) leaf();
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000 / 300).toBeLessThan(2);
  });
});
