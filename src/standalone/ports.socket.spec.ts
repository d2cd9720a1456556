import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { heldPort } from './ports.socket.js';

const HOST = '127.0.0.1';

describe('the ports of a pod', () => {
  it('are free when nobody listens, and stay free for the pod', async () => {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    server.close();
    await once(server, 'close');
    expect(await heldPort(HOST, [{ containerPort: port }])).toBeUndefined();
    expect(await heldPort(HOST, [{ containerPort: port }])).toBeUndefined();
  });

  it('are named when a TCP server has one', async () => {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    const held = await heldPort(HOST, [{ containerPort: port, protocol: 'TCP' }]);
    server.close();
    expect(held).toBe(`TCP port ${port} of ${HOST}`);
  });

  it('are named when a UDP socket has one', async () => {
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    const { port } = socket.address();
    const held = await heldPort(HOST, [{ containerPort: port, protocol: 'UDP' }]);
    socket.close();
    expect(held).toBe(`UDP port ${port} of ${HOST}`);
  });
});
