/*
 * Where the gateways of this machine are, from the status of their resources: what a client needs to trust one.
 */
import type { KubernetesObject } from '../kubernetes/object.js';
import type { PodState } from '../standalone/pod.process.js';

/** A gateway that runs here. */
export interface LocalGateway {
  /** `NAMESPACE/NAME`. */
  readonly name: string;
  /** The name that its certificate shows. */
  readonly host: string;
  readonly port: number;
  /** The loopback address of its first pod. */
  readonly address: string;
  /** `sha256/BASE64` of the keys that it may show: of the present and of the next leaf. */
  readonly pins: readonly string[];
}

interface GatewayObject extends KubernetesObject {
  readonly spec: {
    readonly hosts: readonly string[];
    readonly listener: { readonly port: number };
  };
  readonly status?: {
    readonly certificates?: readonly {
      readonly purpose: string;
      readonly pins?: readonly string[];
    }[];
  };
}

/** The gateways among `resources` that have a process. */
export function localGateways(
  resources: readonly KubernetesObject[],
  pods: readonly PodState[],
): readonly LocalGateway[] {
  const gateways = resources.filter(({ kind }) => kind === 'SignalingGateway') as GatewayObject[];
  return gateways.flatMap(({ metadata, spec, status }) => {
    const name = `${metadata.namespace ?? 'default'}/${metadata.name}`;
    const pod = pods.find(({ id }) => id === `${name}-gateway-0`);
    const [host] = spec.hosts;
    if (pod === undefined || host === undefined) return [];
    const pins = (status?.certificates ?? [])
      .filter(({ purpose }) => purpose === 'Public')
      .flatMap((certificate) => certificate.pins ?? []);
    return [{ name, host, port: spec.listener.port, address: pod.address, pins }];
  });
}
