/** The directory of the newest PostgreSQL's programs, or null. */
export function findPostgres(): string | null
