import { Option, type Command as Node } from 'commander';
import { each, outputOption, wholeNumber, type Found } from '../command-options.js';
import type { OutputFormat } from '../commands.js';

interface InstallOptions {
  readonly to: string;
  readonly containerd?: string;
  readonly release?: string;
  readonly namespace: string;
  readonly registry?: string;
  readonly values?: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  readonly helm: string;
  /** Of `load` only. */
  readonly ctr?: string;
  readonly output: OutputFormat;
}

const INSTALL = `
Files go to FOLDER/versions/VERSION; FOLDER/current links to the release that was loaded last. With --release the chart is
installed or upgraded by helm, which takes an upgrade back that does not become ready; FOLDER/current then stays as it is.
Interrupted anywhere, the same command finishes it.
`;

/** Adds `bundle verify`, `bundle load` and `bundle rollback`. */
export function addBundle(program: Node, found: Found): void {
  const bundle = program.command('bundle').description('releases for a site without a network');
  keyOption(bundle.command('verify <file>'))
    .description('check signature and every byte of a bundle; nothing is written')
    .option('--installed <version>', 'refuse a bundle that is older than this')
    .addOption(outputOption())
    .action((file: string, options: VerifyOptions) => {
      const { key: keys, installed, output } = options;
      found({ name: 'bundle verify', file, keys, installed, output });
    });
  installOptions(keyOption(bundle.command('load <file>')))
    .description('check a bundle, unpack it and make it current; with --release install it')
    .option('--containerd <socket>', 'put the image into this containerd')
    .option('--ctr <program>', 'path of ctr, for --containerd', 'ctr')
    .option('--registry <host>', 'registry from which nodes pull the image')
    .option('--values <file>', 'values for the chart; may be repeated', each)
    .addHelpText('after', INSTALL)
    .action((file: string, options: InstallOptions & { readonly key: readonly string[] }) => {
      found({ name: 'bundle load', file, keys: options.key, ...installation(options) });
    });
  installOptions(bundle.command('rollback'))
    .description('make the release before current again; with --release roll the chart back')
    .action((options: InstallOptions) => {
      found({ name: 'bundle rollback', ...installation(options) });
    });
}

interface VerifyOptions {
  readonly key: readonly string[];
  readonly installed?: string;
  readonly output: OutputFormat;
}

const keyOption = (node: Node): Node =>
  node.requiredOption('--key <file>', 'public key of a signer, PEM; may be repeated', each);

const installOptions = (node: Node): Node =>
  node
    .option('--to <folder>', 'folder of releases', 'sallyport-releases')
    .option('--release <name>', 'Helm release to install, upgrade or roll back')
    .option('--helm <program>', 'path of helm', 'helm')
    .option('--namespace <ns>', 'namespace of the operator', 'sallyport-system')
    .addOption(
      new Option('--timeout <seconds>', 'how long helm waits until all is ready')
        .default(300)
        .argParser(wholeNumber(10, 3_600)),
    )
    .addOption(outputOption());

const installation = (options: InstallOptions) => ({
  folder: options.to,
  containerd: options.containerd,
  release: options.release,
  namespace: options.namespace,
  registry: options.registry,
  values: options.values ?? [],
  timeoutSeconds: options.timeout,
  helm: options.helm,
  ctr: options.ctr ?? 'ctr',
  output: options.output,
});
