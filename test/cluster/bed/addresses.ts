/*
 * Addresses of the cluster tier. Two network namespaces, joined by a veth pair; nothing leads to the machine's own network:
 *
 *   outside 192.168.77.1 -- 192.168.77.2 node -- pods 10.244.0.0/24, services 10.96.0.0/16, load balancers 192.168.78.0/24
 */

/** The node's address on the link to the outside. */
export const NODE_ADDRESS = '192.168.77.2';

/** The other end: a machine that is not of the cluster, and the node's way to everywhere else. */
export const OUTSIDE_ADDRESS = '192.168.77.1';

/** Name of the only node. */
export const NODE_NAME = 'node-1';

/** Addresses that pods take. */
export const POD_RANGE = '10.244.0.0/16';

/** Virtual addresses of services inside of the cluster. */
export const SERVICE_RANGE = '10.96.0.0/16';

/** The first one of them: the API server as pods reach it. */
export const API_SERVER_SERVICE = '10.96.0.1';

/** Where pods ask for names. */
export const DNS_SERVICE = '10.96.0.10';

/** First three bytes of the addresses that services of type LoadBalancer take. */
export const LOAD_BALANCER_PREFIX = '192.168.78.';

/** TCP port of the API server in the node's namespace. */
export const API_SERVER_PORT = 6443;
