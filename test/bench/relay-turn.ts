/*
 * As much of TURN (RFC 8656) as the bench needs: one allocation per flow, and one channel from it to the flow's server.
 * The server side gets what the relay sends as plain UDP: each packet passes the relay once, as in ours.
 */
import { randomBytes } from 'node:crypto';
import { addressOf, type Load } from './relay-load.js';

const MAGIC_COOKIE = 0x2112a442;
const ALLOCATE = 0x0003;
const CHANNEL_BIND = 0x0009;
const SUCCESS = 0x0100;
/** REQUESTED-TRANSPORT: UDP. */
const TRANSPORT_UDP = Buffer.from('0019000411000000', 'hex');
/** The first number of a channel (RFC 8656, 12). */
const CHANNEL = 0x4000;
const AT_ONCE = 32;

/** Bytes of ChannelData before the payload. */
export const CHANNEL_DATA_BYTES = 4;

/** Allocates and binds; makes the flows' datagrams ChannelData of `bytes` in all. */
export async function allocate(load: Load, flows: number, bytes: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < flows) await allocateOne(load, next++, bytes);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, flows) }, worker));
}

async function allocateOne(load: Load, flow: number, bytes: number): Promise<void> {
  await request(load, flow, ALLOCATE, TRANSPORT_UDP);
  await request(load, flow, CHANNEL_BIND, channelBind(flow, load.ports[1]));
  const prefix = Buffer.alloc(CHANNEL_DATA_BYTES);
  prefix.writeUInt16BE(CHANNEL);
  prefix.writeUInt16BE(bytes - CHANNEL_DATA_BYTES, 2);
  load.setPrefix(flow, prefix);
}

/** CHANNEL-NUMBER and XOR-PEER-ADDRESS. */
function channelBind(flow: number, port: number): Buffer {
  const attributes = Buffer.alloc(20);
  attributes.writeUInt32BE(0x000c0004);
  attributes.writeUInt16BE(CHANNEL, 4);
  attributes.writeUInt32BE(0x00120008, 8);
  attributes.writeUInt16BE(1, 12);
  attributes.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 14);
  const ip = Buffer.from(addressOf(1, flow).split('.').map(Number)).readUInt32BE();
  attributes.writeUInt32BE((ip ^ MAGIC_COOKIE) >>> 0, 16);
  return attributes;
}

async function request(load: Load, flow: number, type: number, attributes: Buffer): Promise<void> {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(type);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  const transaction = randomBytes(12);
  const question = Buffer.concat([header, transaction, attributes]);
  const fits = (answer: Buffer) => answer.subarray(8, 20).equals(transaction);
  const answer = await load.ask({ side: 0, flow, question, fits });
  const found = answer.readUInt16BE();
  if (found !== (type | SUCCESS))
    throw new Error(
      `coturn answers ${found.toString(16)} to ${type.toString(16)}: ${answer.toString('hex')}`,
    );
}
