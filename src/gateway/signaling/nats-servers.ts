import { ActionableError } from '../../runtime/errors.js';

/** Where a NATS server is. */
export interface NatsServer {
  /** `tls://HOST:PORT` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

const SERVER = /^tls:\/\/([a-zA-Z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]):([1-9][0-9]{0,4})$/;
const UID = /^[A-Za-z0-9-]{1,64}$/;

/**
 * The servers of settings.json.
 * @throws ActionableError ERR_SETTING for anything that is not `tls://HOST:PORT`: without TLS everybody on the way reads who is told what
 */
export function natsServers(servers: readonly string[]): readonly NatsServer[] {
  return servers.map((url) => {
    const [, host, port] = SERVER.exec(url) ?? [];
    if (host === undefined || port === undefined || Number(port) > 65_535)
      throw new ActionableError(
        'ERR_SETTING',
        'A NATS server in bus.servers is not written as tls://HOST:PORT.',
        'Write bus.nats.servers like tls://nats.messaging.svc:4222; a user or password belongs into credentialsSecretRef.',
      );
    return { url, host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
}

/** Subjects of one gateway. NATS permissions of its credentials need no more than `sallyport.UID.>`. */
export interface BusSubjects {
  /** Read by every replica. */
  readonly everybody: string;
  /** Read by one replica. */
  readonly to: (replica: string) => string;
}

/**
 * The subjects of the gateway `uid`.
 * @throws ActionableError ERR_SETTING for a UID that would reach the subjects of another gateway
 */
export function busSubjects(uid: string): BusSubjects {
  if (!UID.test(uid))
    throw new ActionableError(
      'ERR_SETTING',
      'gateway.uid has characters that a NATS subject cannot have.',
      'It is the UID of the SignalingGateway: letters, digits and dashes.',
    );
  return {
    everybody: `sallyport.${uid}.all`,
    to: (replica) => `sallyport.${uid}.to.${replica}`,
  };
}
