// A plan's explanation as the planner gives it, checked before it is drawn.

export interface Words { zh: string; en: string }

export interface PlanStep { kind: string; title: Words; who: string[]; inputs: PlanStep[] }

export interface PlanRead {
  owner: string; dataset: string; title: string; alias: string; columns: string[]; keys: string[]
  filter: string | null; rows_bound: number; role: Words
}

export interface Plan {
  purpose: string; receiver: string; approvers: string[]; nodes: string[]; pairs: [string, string][]; tier: string
  tier_words: Words; protocol: Words; reads: PlanRead[]; outputs: { name: string; source: string }[]
  learns: { party: string; what: Words }[]; rows_bound: number; max_groups: number | null; min_group: number | null
  suppression: Words; bytes: number; rounds: number; millis: number; program: Program | null; steps: PlanStep
}

export interface Program {
  source: string; digest: string; arguments: string[]; result: string
  size: { and_gates: number; bytes: number; rounds: number; memory: number }; products: number | null
  ranges?: string[]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isStep(value: unknown): value is PlanStep {
  return isObject(value) && isObject(value.title) && Array.isArray(value.who) && Array.isArray(value.inputs) && value.inputs.every(isStep)
}

// The plan, or none when the node's planner speaks another form; the page then shows the JSON.
export function asPlan(value: unknown): Plan | null {
  if (!isObject(value)) return null
  const lists = [value.learns, value.reads, value.nodes, value.outputs, value.pairs]
  const words = [value.tier_words, value.protocol, value.suppression]
  const reads = Array.isArray(value.reads) && value.reads.every((read) => isObject(read) && Array.isArray(read.columns) && Array.isArray(read.keys))
  const circuit = value.program ?? null
  const program = circuit === null || (isObject(circuit) && Array.isArray(circuit.arguments) && isObject(circuit.size))
  const whole = reads && program && lists.every(Array.isArray) && words.every(isObject) && isStep(value.steps)
  return whole ? (value as unknown as Plan) : null
}
