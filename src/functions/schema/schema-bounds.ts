/** Upper bounds of a tool's JSON Schema and of the values that are checked against it. */
export const schemaBounds = {
  /** Characters of the schema as JSON. */
  characters: 64 * 1024,
  /** Objects and arrays inside each other, in a schema and in a checked value. */
  depth: 32,
  /** How often one place of a value may be looked at; see `schema-cost.ts`. */
  visits: 256,
  /** With `uniqueItems`, every item may have to be compared with every other. */
  uniqueItems: 1000,
  /** Steps of pattern matching in one check. */
  patternSteps: 5_000_000,
} as const
