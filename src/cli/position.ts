import { InvalidArgumentError } from 'commander'

/** Reads a position in the log of a namespace. @throws InvalidArgumentError */
export function position(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('write a position, 0 or more')
  return value
}
