/**
 * The id of a writer of a log, as records name it. The only writer of a log on SQLite, number 0, has the log's own id;
 * those on PostgreSQL are numbered from 1.
 */
export function writerIdOf(logId: string, writer: number): string {
  return writer === 0 ? logId : `${logId}/${writer}`
}
