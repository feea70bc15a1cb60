import type { PreparedCase } from './prepare-case.ts'

/** What the files are, and how to make the decision again without any code of ours. */
export function caseReadme(
  { recorded, question, notes }: PreparedCase & { readonly kind: 'ready' },
  isProven: boolean,
): string {
  const { decision } = recorded
  const version = decision.engine?.version ?? 'VERSION'
  const validated = question.schema === null ? '' : ' --schema schema.json --schema-format json'
  return `# One decision, to be made again

Call ${recorded.call} in namespace ${recorded.namespace}, at ${recorded.time}.
The log says: ${decision.effect} (${decision.basis}).
${notes.map((note) => `\n${note}\n`).join('')}
## With Cedar's own command line tool

    cargo install cedar-policy-cli --version ${version}
    cedar authorize --policies policies.cedar${validated} \\
      --entities entities.json --request-json request.json --verbose

It answers ALLOW or DENY and names the policies that decided. Both must be what \`expected.json\` says: it calls a policy by
its \`@id\`, or by its place in the file (\`policy0\`, \`policy1\`, ...), and so does the member \`cedar\` there; libraries of Cedar call every policy by its place, the member \`place\`. Any error that it
reports must be among \`errors\`: an error denies here, even where Cedar would allow.

## That these files are what was decided on

| file | what it is | how the record (\`record.json\`) names it |
|---|---|---|
| \`policies.cedar\` | every policy that was in force, word for word, each under its id and the SHA-256 of its text | \`decision.determining[].text_hash\` |
| \`schema.json\` | the schema that requests and policies are validated against | \`decision.schema_hash\`: SHA-256 of its RFC 8785 form |
| \`entities.json\` | caller and resource with their groups and parents | \`decision.entities_hash\`: SHA-256 of its RFC 8785 form |
| \`request.json\` | who asks for what, under which circumstances: a part of \`engine-input.json\` | |
| \`engine-input.json\` | the whole input of the engine, byte for byte | \`decision.request_hash\`: SHA-256 of 16 salt bytes (\`engine-input.salt\`, hexadecimal), then these bytes |

\`policy-set.json\` has the files as their authors wrote them, and the policies of the platform itself, which come first.
\`decision.policy_set_hash\` is the SHA-256 of the RFC 8785 form of an object like it, with the digest of each text
(\`sha256:\` and hexadecimal digits) in the place of the text, and the files in the order of their names.
${
  isProven
    ? `
\`proof.json\` proves that the record is in the log. With the log's public key, which you should have from somebody you
trust: \`mcpworks audit check-proof proof.json --public-key audit.pub\`; the proofs in it are of the form c2sp.org/tlog-proof@v1.
`
    : ''
}
The engine's input holds arguments of the call. Handle these files like the arguments themselves.
`
}
