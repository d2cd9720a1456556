/**
 * Options of Ajv for schemas that stand in our own sources. Each instance would else compile the schema of schemas first,
 * 20 ms of a start, to look at what cannot change any more; test/unit/own-schemas.spec.ts looks at it once.
 */
export const OWN_SCHEMAS = { strict: false, validateSchema: false } as const;
