import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

/** An Ingress that ends TLS for `hosts` and sends everything to one named port of one Service. */
export function ingress(parts: {
  readonly metadata: ObjectMeta;
  readonly className: string;
  readonly hosts: readonly string[];
  /** Secret of type kubernetes.io/tls. */
  readonly tlsSecretName: string;
  readonly backend: { readonly service: string; readonly port: string };
  /** For the controller; they never replace ours. */
  readonly annotations?: StringMap | undefined;
}): Rendered {
  const { metadata, className, hosts, tlsSecretName, backend, annotations = {} } = parts;
  const service = { name: backend.service, port: { name: backend.port } };
  const annotated = {
    ...metadata,
    annotations: sortedMap({ ...annotations, ...metadata.annotations }),
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: Object.keys(annotations).length === 0 ? metadata : annotated,
    spec: {
      ingressClassName: className,
      tls: [{ hosts, secretName: tlsSecretName }],
      rules: hosts.map((host) => ({
        host,
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] },
      })),
    },
  };
}
