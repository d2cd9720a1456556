/*
 * How programs and threads become one file each.
 */
import { build, type Metafile } from 'esbuild';

/** client-node is imported for credential plug-ins only; the others are optional parts of Nest that we do not have. */
const EXTERNAL = [
  '@kubernetes/client-node',
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/websockets',
  '@nestjs/websockets/*',
  '@nestjs/platform-express',
  '@nestjs/axios',
  '@nestjs/mongoose',
  '@nestjs/sequelize',
  '@nestjs/typeorm',
  '@mikro-orm/core',
  '@prisma/client',
  '@grpc/*',
  'mongoose',
  'sequelize',
  'typeorm',
  'class-transformer',
  'class-validator',
  // Something of client-node's colours its output if it finds this, which only development brings.
  'supports-color',
];

/** What is made: the programs, and the threads of the relay, by the name of the file that they become. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  operator: 'src/bin/operator.ts',
  gateway: 'src/bin/gateway.ts',
  relay: 'src/bin/relay.ts',
  sallyport: 'src/bin/sallyport.ts',
  'packet.worker': 'src/relay/packet/packet.worker.ts',
  'fallback.worker': 'src/relay/shell/fallback.worker.ts',
};

/** Bundles the files `entries` (by the name of what they become) into the folder `outdir`; gives what went in. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  outdir: string,
): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: { ...entries },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    keepNames: true,
    minify: true,
    // In files beside them: a single letter outside of ASCII, in a name, and all of the text takes two bytes a letter.
    legalComments: 'external',
    metafile: true,
    // koffi is native: it stays a package. The others of the list are the operator's.
    external: [...EXTERNAL, 'koffi'],
    logLevel: 'warning',
    // CommonJS packages inside an ES module still call `require` for what Node has built in.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return metafile;
}
