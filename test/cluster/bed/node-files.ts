/*
 * Every file of a node: certificates, tokens, and the configuration of each program.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Leaf } from '../../apiserver/bed/certificates.js';
import { createTestCa, serviceAccountKeys } from '../../apiserver/bed/certificates.js';
import { API_SERVER_PORT, API_SERVER_SERVICE, NODE_ADDRESS, NODE_NAME } from './addresses.js';
import * as components from './components.js';
import { VOLUMES } from './objects.js';

const USERS: Readonly<Record<string, string>> = {
  admin: 'system:masters',
  'system:kube-controller-manager': 'system:masters',
  'system:kube-scheduler': '',
  'system:kube-proxy': '',
  'network-policies': 'system:masters',
  [`system:node:${NODE_NAME}`]: 'system:nodes',
};

/** The files of one node, in its folder. */
export class NodeFiles {
  /** PEM of the authority that everything of this cluster trusts. */
  authority = '';
  private readonly tokens = new Map(
    Object.keys(USERS).map((user) => [user, randomBytes(24).toString('base64url')]),
  );

  /** `tree` is what the distribution's packages were unpacked into, `kubectl` the binary. */
  constructor(
    private readonly folder: string,
    private readonly tree: string,
    private readonly kubectl: string,
  ) {}

  /** The bearer token of a user. */
  tokenOf(user: string): string {
    return this.tokens.get(user)!;
  }

  /** Writes all of them. */
  async write(): Promise<void> {
    const authority = await createTestCa(new Date());
    this.authority = authority.ca;
    const accounts = serviceAccountKeys();
    const leaf = (name: string): Promise<Leaf> =>
      authority.issue(name, [NODE_ADDRESS, API_SERVER_SERVICE]);
    const [server, kubelet, client] = await Promise.all(
      ['kube-apiserver', NODE_NAME, 'kube-apiserver-kubelet-client'].map(leaf),
    );
    const users = Object.entries(USERS).map(([user, group]) =>
      [this.tokens.get(user), user, user, `"${group}"`].join(','),
    );
    this.put('tokens.csv', users.join('\n'));
    this.put('ca.crt', authority.ca);
    for (const [name, { cert, key }] of Object.entries({
      server: server!,
      kubelet: kubelet!,
      'kubelet-client': client!,
    })) {
      this.put(`${name}.crt`, cert);
      this.put(`${name}.key`, key);
    }
    this.put('accounts.pub', accounts.publicKey);
    this.put('accounts.key', accounts.privateKey);
    const audit = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] };
    this.put('audit-policy.json', JSON.stringify({ ...audit, omitStages: ['RequestReceived'] }));
    const group = `/${this.folder.split('/').at(-1)!}`;
    const { kubeletConfiguration, proxyConfiguration } = components;
    this.put('kubelet.json', JSON.stringify(kubeletConfiguration(this.folder, group)));
    const proxy = this.kubeconfig('system:kube-proxy');
    this.put('proxy.json', JSON.stringify(proxyConfiguration(proxy)));
    const plugins = join(this.tree, 'usr/lib/cni');
    this.put('containerd.toml', components.containerdConfiguration(this.folder, plugins));
    mkdirSync(join(this.folder, 'cni'));
    this.put('cni/pods.conflist', JSON.stringify(components.networkConfiguration()));
    for (let index = 0; index < VOLUMES; index++)
      mkdirSync(join(this.folder, 'volumes', `${index}`), { recursive: true });
    this.names();
    const config = this.kubeconfig('admin');
    const get = `${this.kubectl} --kubeconfig ${config} get`;
    this.put(
      'dump.sh',
      `${get} events -A --sort-by=.lastTimestamp > $1/events.txt 2>&1
${get} pods,services,networkpolicies -A -o wide > $1/objects.txt 2>&1
${get} nodes,pods,services,deployments,statefulsets,persistentvolumes,networkpolicies,configmaps -A -o yaml > $1/objects.yaml 2>&1
${get} signalinggateways,relaypools,accessroles,retentionpolicies -A -o yaml > $1/resources.yaml 2>&1
`,
    );
  }

  /** iptables has its names from Debian's alternatives, which an unpacked package lacks. */
  private names(): void {
    mkdirSync(join(this.folder, 'bin'));
    const multi = join(this.tree, 'usr/sbin/xtables-nft-multi');
    for (const name of ['iptables', 'ip6tables'])
      for (const end of ['', '-save', '-restore'])
        symlinkSync(multi, join(this.folder, 'bin', name + end));
  }

  /** PATH of the programs of the node. */
  path(): string {
    const root = this.tree;
    const own = [join(this.folder, 'bin'), ...['usr/bin', 'usr/sbin'].map((at) => join(root, at))];
    return [...own, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':');
  }

  private put(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content, { mode: 0o600 });
  }

  /** Writes the kubeconfig file of a user; gives its path. */
  kubeconfig(user: string): string {
    const name = `kubeconfig-${user.replaceAll(':', '-')}`;
    const server = `https://127.0.0.1:${API_SERVER_PORT}`;
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [
        { name: 'test', cluster: { server, 'certificate-authority': join(this.folder, 'ca.crt') } },
      ],
      users: [{ name: user, user: { token: this.tokens.get(user) } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    };
    this.put(name, JSON.stringify(config));
    return join(this.folder, name);
  }
}
