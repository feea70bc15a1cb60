/** Thrown where an obligation cannot be fulfilled: the output is withheld. The message quotes nothing of the output. */
export class Unfulfillable extends Error {}
