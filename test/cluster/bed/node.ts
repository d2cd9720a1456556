/*
 * One real node with its control plane in namespaces of its own, and an outside that is another machine to it.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Admin } from '../../apiserver/bed/admin.js';
import { etcdArgs } from '../../apiserver/bed/command-lines.js';
import { eventually } from '../../apiserver/bed/eventually.js';
import { Programs } from '../../apiserver/bed/programs.js';
import { debianTree } from '../../debian/packages.js';
import {
  API_SERVER_PORT,
  LOAD_BALANCER_PREFIX,
  NODE_ADDRESS,
  NODE_NAME,
  OUTSIDE_ADDRESS,
  SERVICE_RANGE,
} from './addresses.js';
import * as components from './components.js';
import { writeImageArchive } from './image-archive.js';
import type { ClusterAccess } from './cluster.js';
import { Cluster } from './cluster.js';
import { serveLoadBalancers } from './load-balancer.js';
import { NodeFiles } from './node-files.js';
import { clusterDns, localVolumes } from './objects.js';

const JANITOR = fileURLToPath(new URL('./janitor.js', import.meta.url));
const FORWARD = fileURLToPath(new URL('./forward.js', import.meta.url));
const SUPERVISOR = fileURLToPath(new URL('../../apiserver/bed/supervisor.js', import.meta.url));

/** Debian packages that a node needs. */
export const NODE_PACKAGES = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'nftables',
  'conntrack',
  'ipset',
];

/** What a node is made of. */
export interface NodeParts {
  /** The programs of Kubernetes, and etcd, by name. */
  readonly binary: (name: string) => string;
  /** Folder that takes logs and objects when the node ends. */
  readonly keep: string;
  readonly log: (line: string) => void;
}

/** A node that runs. `stop` takes everything down; so does the end of this process. */
export class ClusterNode {
  private readonly tree = debianTree(NODE_PACKAGES);
  private readonly programs: Programs;
  private readonly files: NodeFiles;
  private api: Server | undefined;
  private balancers: { stop(): void } | undefined;
  private admin: Admin | undefined;

  private constructor(
    private readonly parts: NodeParts,
    readonly folder: string,
  ) {
    this.files = new NodeFiles(folder, this.tree.root, parts.binary('kubectl'));
    this.programs = new Programs(folder, [JANITOR, folder, parts.keep, SUPERVISOR]);
  }

  /**
   * Starts the node; gives it when names resolve in it and it is Ready.
   * @throws Error if this is not root, and with the last lines of the program that failed.
   */
  static async start(parts: NodeParts): Promise<ClusterNode> {
    if (process.getuid?.() !== 0)
      throw new Error('Run this as root: it makes namespaces and runs containers.');
    // Not below /var and /run: the node has its own there.
    const node = new ClusterNode(parts, mkdtempSync('/tmp/sallyport-cluster-'));
    try {
      await node.controlPlane();
      await node.runtime();
      await node.ready();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  /** How others reach it, also from other processes of this machine. */
  access(): ClusterAccess {
    const { port } = this.api!.address() as AddressInfo;
    return {
      folder: this.folder,
      url: `https://127.0.0.1:${port}`,
      ca: this.files.authority,
      token: this.files.tokenOf('admin'),
      firstProcess: this.firstProcess(),
      kubectl: this.parts.binary('kubectl'),
      path: this.files.path(),
      libraries: this.tree.env['LD_LIBRARY_PATH'] ?? '',
    };
  }

  /** Ends every process of the node and gives back what it changed. */
  async stop(): Promise<void> {
    this.balancers?.stop();
    await this.admin?.close();
    this.api?.close();
    await this.programs.stop();
  }

  private async controlPlane(): Promise<void> {
    const { binary, log } = this.parts;
    log('control plane');
    await this.files.write();
    const file = (name: string) => join(this.folder, name);
    await this.run('etcd', binary('etcd'), etcdArgs(this.folder, components.ETCD_PORT));
    await this.link();
    await this.run(
      'kube-apiserver',
      binary('kube-apiserver'),
      components.clusterApiServerArgs(this.folder),
    );
    await this.run('forward', process.execPath, [
      FORWARD,
      file('api.socket'),
      `${API_SERVER_PORT}`,
    ]);
    await this.lend();
    await eventually('the API server is ready', () => this.admin!.get('/readyz'), {
      timeoutMs: 60_000,
      everyMs: 200,
    });
    await this.run(
      'kube-controller-manager',
      binary('kube-controller-manager'),
      components.clusterControllerManagerArgs(
        this.folder,
        this.files.kubeconfig('system:kube-controller-manager'),
      ),
    );
    await this.run(
      'kube-scheduler',
      binary('kube-scheduler'),
      components.schedulerArgs(this.files.kubeconfig('system:kube-scheduler')),
    );
  }

  private async runtime(): Promise<void> {
    const { binary, log } = this.parts;
    const file = (name: string) => join(this.folder, name);
    log('container runtime');
    await this.run('containerd', 'containerd', ['--config', file('containerd.toml')]);
    await eventually('containerd answers', () => this.cluster().ctr(['version']), {
      timeoutMs: 30_000,
      everyMs: 200,
    });
    this.importSmall('pause.test/pause:1', 'pause');
    this.importSmall('coredns.test/coredns:1', 'coredns');
    log('kubelet');
    await this.run(
      'kubelet',
      binary('kubelet'),
      components.kubeletArgs(this.folder, this.files.kubeconfig(`system:node:${NODE_NAME}`)),
    );
    await this.run('kube-proxy', binary('kube-proxy'), ['--config', file('proxy.json')]);
  }

  private async ready(): Promise<void> {
    const admin = this.admin!;
    const objects = [...localVolumes(this.folder), ...clusterDns('coredns.test/coredns:1')];
    for (const object of objects) await admin.apply(object);
    this.balancers = serveLoadBalancers(admin);
    const patience = { timeoutMs: 90_000, everyMs: 300 };
    await eventually(
      'the node is Ready',
      async () => {
        const node = await admin.get(`/api/v1/nodes/${NODE_NAME}`);
        const conditions = (node?.status?.conditions ?? []) as { type: string; status: string }[];
        return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
      },
      patience,
    );
    // It looks for its node once.
    await this.run('netpol', this.parts.binary('netpol'), [
      `-kubeconfig=${this.files.kubeconfig('network-policies')}`,
      `-node=${NODE_NAME}`,
      `-services=${SERVICE_RANGE}`,
    ]);
    await eventually(
      'names resolve',
      async () => {
        const path = '/apis/apps/v1/namespaces/kube-system/deployments/kube-dns';
        return (await admin.get(path))?.status?.readyReplicas === 1;
      },
      patience,
    );
    this.parts.log('node is Ready');
  }

  /** Two ends of a cable: one in the node, one outside, where a process holds the other namespace. */
  private async link(): Promise<void> {
    await this.run('outside', 'unshare', ['--net', 'sleep', 'infinity']);
    const outside = this.programs.pidOf('outside')!;
    const at = this.cluster();
    await eventually('the outside is there', () => {
      const net = (pid: number | string) => at.node(['readlink', `/proc/${pid}/ns/net`]);
      return net(outside) !== net(1);
    });
    const away = ['nsenter', '-t', `${outside}`, '-n'];
    const ip = (line: string, prefix: readonly string[] = []) =>
      at.node([...prefix, 'ip', ...line.split(' ')]);
    ip(`link add up0 type veth peer name down0 netns ${outside}`);
    ip(`addr add ${NODE_ADDRESS}/24 dev up0`);
    ip('link set up0 up');
    ip(`addr add ${OUTSIDE_ADDRESS}/24 dev down0`, away);
    ip('link set down0 up', away);
    ip('link set lo up', away);
    ip(`route add default via ${OUTSIDE_ADDRESS}`);
    ip(`route add ${LOAD_BALANCER_PREFIX}0/24 via ${NODE_ADDRESS}`, away);
    at.node(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    writeFileSync(join(this.folder, 'outside.pid'), `${outside}`);
  }

  /** A program of the node, with the unpacked packages on its path. */
  private async run(name: string, command: string, args: readonly string[]): Promise<void> {
    const env = [
      `PATH=${this.files.path()}`,
      `LD_LIBRARY_PATH=${this.tree.env['LD_LIBRARY_PATH']!}`,
      `XTABLES_LIBDIR=${this.tree.env['LD_LIBRARY_PATH']!}/xtables`,
    ];
    await this.programs.start({ name, command: '/usr/bin/env', args: [...env, command, ...args] });
  }

  private firstProcess(): number {
    const unshare = readFileSync(join(this.folder, 'unshare.pid'), 'utf8');
    const children = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8');
    return Number(children.trim());
  }

  private cluster(): Cluster {
    return new Cluster({ ...this.partial(), url: '', ca: this.files.authority, token: '' });
  }

  private partial(): Omit<ClusterAccess, 'url' | 'ca' | 'token'> {
    return {
      folder: this.folder,
      firstProcess: this.firstProcess(),
      kubectl: this.parts.binary('kubectl'),
      path: this.files.path(),
      libraries: this.tree.env['LD_LIBRARY_PATH'] ?? '',
    };
  }

  /** The API server's port, on a free port of this machine's loopback. */
  private async lend(): Promise<void> {
    const path = join(this.folder, 'api.socket');
    const server = createServer((near) => {
      const far = connect(path);
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    this.api = server;
    const { port } = server.address() as AddressInfo;
    this.admin = new Admin(`https://127.0.0.1:${port}`, this.files.authority, (user) =>
      this.files.tokenOf(user),
    );
  }

  private importSmall(name: string, program: string): void {
    const archive = join(this.folder, `${program}.tar`);
    const files = { [`/${program}`]: this.parts.binary(program) };
    const image = { name, files, entrypoint: [`/${program}`] };
    writeImageArchive(image, archive, join(this.folder, `${program}-image`));
    this.cluster().importImage(archive);
  }
}
