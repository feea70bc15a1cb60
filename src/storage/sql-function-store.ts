import type { FunctionStore, FunctionVersion } from '../functions/index.ts'
import type { Digest, JsonObject } from '../kernel/index.ts'
import type { StateTables } from './state-tables.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Function versions and the pointers to the active ones in the state database. */
export class SqlFunctionStore implements FunctionStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  loadActive(): Promise<FunctionVersion[]> {
    return withStateErrors(async () => {
      const versions = await this.#database
        .selectFrom('active_functions as active')
        .innerJoin('function_versions as version', (join) =>
          join
            .onRef('version.namespace', '=', 'active.namespace')
            .onRef('version.service', '=', 'active.service')
            .onRef('version.name', '=', 'active.name')
            .onRef('version.version_hash', '=', 'active.version_hash'),
        )
        .selectAll('version')
        .orderBy('version.namespace')
        .orderBy('version.service')
        .orderBy('version.name')
        .execute()
      const files = await this.#database
        .selectFrom('active_functions as active')
        .innerJoin('function_files as file', (join) =>
          join
            .onRef('file.namespace', '=', 'active.namespace')
            .onRef('file.service', '=', 'active.service')
            .onRef('file.name', '=', 'active.name')
            .onRef('file.version_hash', '=', 'active.version_hash'),
        )
        .selectAll('file')
        .orderBy('file.path')
        .execute()
      const byFunction = Map.groupBy(files, functionKey)
      return versions.map((row) => functionVersion(row, byFunction.get(functionKey(row)) ?? []))
    })
  }

  activate(versions: readonly FunctionVersion[]): Promise<void> {
    return withStateErrors(() =>
      this.#database.transaction().execute(async (transaction) => {
        for (const version of versions) {
          const { namespace, service, name, versionHash } = version
          const key = { namespace, service, name, version_hash: versionHash }
          const inserted = await transaction
            .insertInto('function_versions')
            .values({ ...key, ...versionColumns(version) })
            .onConflict((conflict) => conflict.doNothing())
            .executeTakeFirst()
          if (inserted.numInsertedOrUpdatedRows === 1n) {
            for (const [path, content] of version.files) {
              await transaction
                .insertInto('function_files')
                .values({ ...key, path, content })
                .execute()
            }
          }
          await transaction
            .insertInto('active_functions')
            .values(key)
            .onConflict((conflict) =>
              conflict.columns(['namespace', 'service', 'name']).doUpdateSet({ version_hash: versionHash }),
            )
            .execute()
        }
      }),
    )
  }

  deactivate(namespace: string, service: string, name: string): Promise<boolean> {
    return withStateErrors(async () => {
      const result = await this.#database
        .deleteFrom('active_functions')
        .where('namespace', '=', namespace)
        .where('service', '=', service)
        .where('name', '=', name)
        .executeTakeFirst()
      return result.numDeletedRows > 0n
    })
  }

  findVersion(...[namespace, service, name, hash]: Parameters<FunctionStore['findVersion']>) {
    return withStateErrors(async () => {
      const row = await this.#database
        .selectFrom('function_versions')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('service', '=', service)
        .where('name', '=', name)
        .where('version_hash', '=', hash)
        .executeTakeFirst()
      if (row === undefined) return null
      const files = await this.#database
        .selectFrom('function_files')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('service', '=', service)
        .where('name', '=', name)
        .where('version_hash', '=', hash)
        .orderBy('path')
        .execute()
      return functionVersion(row, files)
    })
  }

  listVersions(namespace: string, service: string, name: string): ReturnType<FunctionStore['listVersions']> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('function_versions as version')
        .leftJoin('active_functions as active', (join) =>
          join
            .onRef('active.namespace', '=', 'version.namespace')
            .onRef('active.service', '=', 'version.service')
            .onRef('active.name', '=', 'version.name')
            .onRef('active.version_hash', '=', 'version.version_hash'),
        )
        .select(['version.version_hash', 'version.created_at_ms', 'version.created_by', 'active.name as active_name'])
        .where('version.namespace', '=', namespace)
        .where('version.service', '=', service)
        .where('version.name', '=', name)
        .orderBy('version.created_at_ms', 'desc')
        .orderBy('version.version_hash')
        .execute()
      return rows.map((row) => ({
        versionHash: row.version_hash as Digest,
        createdAtMs: row.created_at_ms,
        createdBy: row.created_by,
        active: row.active_name !== null,
      }))
    })
  }
}

function functionKey(row: { namespace: string; service: string; name: string }): string {
  return `${row.namespace}/${row.service}/${row.name}`
}

function versionColumns(version: FunctionVersion) {
  return {
    code_hash: version.codeHash,
    runtime: version.runtime,
    entry_file: version.entry.file,
    entry_name: version.entry.name,
    title: version.title,
    description: version.description,
    input_schema_json: JSON.stringify(version.inputSchema),
    output_schema_json: version.outputSchema === null ? null : JSON.stringify(version.outputSchema),
    annotations_json: JSON.stringify(version.annotations),
    limits_json: JSON.stringify(version.limits),
    calls_json: JSON.stringify(version.calls),
    labels_json: JSON.stringify(version.labels),
    created_at_ms: version.createdAtMs,
    created_by: version.createdBy,
  }
}

function functionVersion(
  row: StateTables['function_versions'],
  files: readonly StateTables['function_files'][],
): FunctionVersion {
  return {
    namespace: row.namespace,
    service: row.service,
    name: row.name,
    versionHash: row.version_hash as Digest,
    codeHash: row.code_hash as Digest,
    runtime: row.runtime as FunctionVersion['runtime'],
    entry: { file: row.entry_file, name: row.entry_name },
    files: new Map(files.map((file) => [file.path, file.content])),
    title: row.title,
    description: row.description,
    inputSchema: JSON.parse(row.input_schema_json) as JsonObject,
    outputSchema: row.output_schema_json === null ? null : (JSON.parse(row.output_schema_json) as JsonObject),
    annotations: JSON.parse(row.annotations_json) as JsonObject,
    // Versions of a time before there were inner calls make none.
    limits: { innerCalls: 0, ...(JSON.parse(row.limits_json) as Omit<FunctionVersion['limits'], 'innerCalls'>) },
    calls: JSON.parse(row.calls_json) as string[],
    labels: JSON.parse(row.labels_json) as string[],
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
  }
}
