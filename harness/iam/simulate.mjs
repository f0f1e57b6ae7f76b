// Whether policies allow calls: simulations as a JSON array on standard input, an array of
// Allowed, ExplicitlyDenied or ImplicitlyDenied on standard output. What IAM would not even take,
// an action that is none or a resource that it does not have, ends the program.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const results = []
for (const simulation of JSON.parse(readFileSync(0, 'utf8'))) {
  const response = await runSimulation(simulation, {})
  if (response.resultType === 'error') {
    throw new Error(JSON.stringify({ request: simulation.request, errors: response.errors }))
  }
  results.push(response.overallResult)
}
process.stdout.write(JSON.stringify(results))
