/* Names under which Nest hands the keys' services to rooms; rooms import this pure file, never the services. */

/** `Keysmith` (orders.ts). */
export const KEYSMITH = Symbol('Keysmith');
/** `BundleSigner` (bundle.ts). */
export const BUNDLE_SIGNER = Symbol('BundleSigner');
