// stdin: {policies: {stem: document}, needs: [{stem, action, resource, context}], account}; stdout: for each need
// {verdict, statements} or {error}: what iam-simulate says, with the Sids of the statements that decided.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.JUDGES_MODULES}/`)
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')

const { policies, needs, account } = JSON.parse(readFileSync(0, 'utf8'))

async function simulate({ stem, action, resource, context }) {
  const request = {
    principal: `arn:aws:iam::${account}:role/${stem}`,
    action,
    resource: { resource, accountId: account },
    contextVariables: context,
  }
  const identityPolicies = [{ name: stem, policy: policies[stem] }]
  const simulation = { request, identityPolicies, serviceControlPolicies: [], resourceControlPolicies: [] }
  const ended = await runSimulation(simulation, {})
  // An alias and a version have the same ARN; which of the two it is decides nothing here. Of API Gateway the data hold two
  // ARNs in one where REST and HTTP APIs share a type (deployments, stages), and then match neither.
  const problem = ended.errors?.message
  if (problem === 'multiple.resource.types' || (problem === 'no.resource.types' && action.startsWith('apigateway:'))) {
    return { verdict: runUnsafeSimulation(simulation, {}), statements: [] }
  }
  if (ended.resultType === 'error') return { error: ended.errors.message }
  const results = ended.resultType === 'single' ? [ended.result] : ended.results
  const sids = (list) => (list ?? []).map(({ statement }) => statement.sid?.() ?? statement.sid)
  const statements = results.flatMap(({ analysis }) => [
    ...sids(analysis?.identityAnalysis?.allowStatements),
    ...sids(analysis?.identityAnalysis?.denyStatements),
  ])
  return { verdict: ended.overallResult, statements }
}

const verdicts = []
for (const need of needs) verdicts.push(await simulate(need))
process.stdout.write(JSON.stringify(verdicts))
