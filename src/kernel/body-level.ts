/** How much of an exchange is kept beside its records, the least first: nothing, arguments, arguments and results. */
export const bodyLevels = ['metadata', 'request', 'request_response'] as const

/** How much of an exchange is kept beside its records. */
export type BodyLevel = (typeof bodyLevels)[number]

/** The level that keeps least; `null` where none is given. */
export function leastLevel(levels: readonly BodyLevel[]): BodyLevel | null {
  return bodyLevels.find((level) => levels.includes(level)) ?? null
}
