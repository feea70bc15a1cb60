import { z } from 'zod'

/** Settings of TLS, where it ends in this server. */
export const tlsConfigSchema = z
  .strictObject({
    certificateFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'File with the certificate of this server and those between it and its authority (PEM). Turns TLS on. Commands on this machine then need MCPWORKS_URL and MCPWORKS_API_KEY.',
      ),
    keyFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'File with the private key of that certificate (PEM). Not encrypted: nobody but the server may read it.',
      ),
    clientCertificates: z
      .enum(['off', 'any', 'authority'])
      .default('off')
      .describe(
        'Whether clients are asked for a certificate, so that tokens can be bound to it (RFC 8705). any takes every one whose key the client holds; authority only those of clientAuthorityFile. A certificate alone lets nobody in.',
      ),
    clientAuthorityFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('File with the authorities of client certificates (PEM).'),
    reloadSeconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('Seconds between looks at these files. Changed ones are used for new connections.'),
  })
  .superRefine(({ certificateFile, keyFile, clientCertificates, clientAuthorityFile }, context) => {
    const problem = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((certificateFile === null) !== (keyFile === null))
      problem(certificateFile === null ? 'certificateFile' : 'keyFile', 'a certificate and its key go together')
    if (certificateFile === null && clientCertificates !== 'off')
      problem('clientCertificates', 'client certificates need TLS: set certificateFile and keyFile')
    if ((clientCertificates === 'authority') !== (clientAuthorityFile !== null))
      problem('clientAuthorityFile', 'goes together with clientCertificates: authority')
  })

/** Settings of TLS, validated. */
export type TlsConfig = z.output<typeof tlsConfigSchema>
