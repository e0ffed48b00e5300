// State machines by name on stdin; what asl-validator says of each on stdout: [] where it finds nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.JUDGES_MODULES}/`)
const validate = require('asl-validator')

const findings = []
for (const [name, definition] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const { isValid, errors } = validate(definition)
  if (isValid) continue
  for (const error of errors) findings.push(`${name}: ${error.instancePath ?? ''} ${error.message ?? error.Message ?? JSON.stringify(error)}`)
}
process.stdout.write(JSON.stringify(findings))
