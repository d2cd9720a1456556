/*
 * Annotations are where one program's object becomes another program's order. A user with rights on our kinds alone
 * writes Services and Ingresses through us, so keys by which a controller would act with rights of its own are refused.
 */

/** Keys that have a certificate made or borrowed, or that hold the configuration of a proxy. */
const SERVICE_ORDER = /acme|cert|secret|^kubernetes\.io\/|getambassador\.io\//i;

/** Keys that are snippets of configuration, or that borrow Secrets, hosts, issuers and middleware of others. */
const INGRESS_ORDER =
  /snippet|config-|secret|auth-|lua|acme|cert|jwt|alias|mirror|middleware|plugin|^kubernetes\.io\/|sallyport\.dev\//i;

/** Keys that belong to the programs that write them. */
const OWNED = /^([a-z0-9.-]*\.)?sallyport\.dev\/|^kubectl\.kubernetes\.io\//;

type Annotations = Readonly<Record<string, string>> | undefined;

/** What is wrong with the annotations that a user wants on a Service, with what to do; undefined when all is well. */
export function serviceAnnotationProblem(annotations: Annotations): string | undefined {
  const keys = Object.keys(annotations ?? {});
  return keys.some((key) => SERVICE_ORDER.test(key) || OWNED.test(key))
    ? 'exposure.annotations has another program issue or use a certificate, configures a proxy, or belongs to the operator: remove it, because the pods end TLS themselves.'
    : undefined;
}

/** The same for an Ingress. */
export function ingressAnnotationProblem(annotations: Annotations): string | undefined {
  return Object.keys(annotations ?? {}).some((key) => INGRESS_ORDER.test(key))
    ? 'ingress.annotations configures the controller itself, or borrows a Secret or an issuer: write annotations that set a single value, and the certificate in ingress.tlsSecretRef.'
    : undefined;
}
