// Runs state machines with scripted tasks in aws-local-stepfunctions, an interpreter of the Amazon States Language.
// stdin: {definition, cases: {name: {input, tasks: {state: [answer, …]}}}}; an answer is {result} or {error, cause}; the last
// one of a state repeats. stdout: {name: {status, states, calls, output | error}}, `calls` with the input of each task.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.JUDGES_MODULES}/`)
// The interpreter needs it; Node has it from 22 on, and Debian's is older.
Promise.withResolvers ??= () => {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}
const { StateMachine } = require('aws-local-stepfunctions')

const DONE = { status: 'SUCCEEDED', poll_after_s: 0, summary: '', next: '', map: 'NONE' } // as the runner answers

function statesOf(machine, found = {}) {
  for (const [name, state] of Object.entries(machine.States)) {
    found[name] = state
    const inner = state.ItemProcessor ?? state.Iterator
    if (inner) statesOf(inner, found)
    for (const branch of state.Branches ?? []) statesOf(branch, found)
  }
  return found
}

async function run(definition, { input, tasks }) {
  const states = statesOf(definition)
  const calls = []
  const handlers = {}
  const waits = {}
  const retries = {}
  for (const [name, state] of Object.entries(states)) {
    if (state.Type === 'Wait') waits[name] = 1
    if (state.Retry) retries[name] = 1
    if (state.Type !== 'Task') continue
    const answers = [...(tasks[name] ?? [{ result: DONE }])]
    handlers[name] = async (given) => {
      calls.push([name, given])
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer.error === undefined) return answer.result
      throw Object.assign(new Error(answer.cause ?? ''), { name: answer.error })
    }
  }
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } }) // asl-validator judges elsewhere
  const context = { Execution: { Id: 'arn:aws:states:eu-central-1:123456789012:execution:m:e', Input: input }, Task: { Token: 'token' } }
  const execution = machine.run(input, {
    overrides: { taskResourceLocalHandlers: handlers, waitTimeOverrides: waits, retryIntervalOverrides: retries },
    context,
  })
  const entered = []
  const watching = (async () => {
    for await (const event of execution.eventLogs) if (event.type.endsWith('StateEntered')) entered.push(event.state?.name ?? event.stateName)
  })()
  let end
  try {
    end = { status: 'SUCCEEDED', output: await execution.result }
  } catch (error) {
    end = { status: 'FAILED', error: error.name, cause: error.message }
  }
  await watching
  return { ...end, states: entered, calls }
}

const { definition, cases } = JSON.parse(readFileSync(0, 'utf8'))
const ended = {}
await Promise.all(Object.entries(cases).map(async ([name, each]) => { ended[name] = await run(definition, each) }))
process.stdout.write(JSON.stringify(ended))
