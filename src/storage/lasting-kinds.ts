/** Kinds whose texts stay: what holds the trees of a namespace together, what shows a removal that was on hold, and what says which those are. */
export const lastingKinds: ReadonlySet<string> = new Set(['period', 'key-change', 'legal-hold', 'retention'])
