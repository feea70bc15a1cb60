import { z } from 'zod'

/** A namespace, agent, service or user. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')

/** The namespace that an operation is about, as it stands in its path. */
export const namespace = { namespace: name }

/** A tool as agents see it. */
export const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/, 'tool names are 1-128 letters, digits, hyphens and underscores')
