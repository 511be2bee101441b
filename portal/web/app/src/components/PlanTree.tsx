// The plan as a tree: the answer at the top, what each party reads at the bottom; drawn by hand as SVG.
import { useLanguage } from '../words/language'
import type { PlanStep } from './plan'

const WIDTH = 236
const HEIGHT = 84
const GAP_X = 20
const GAP_Y = 34
const TEXT = WIDTH - 20

interface Placed { step: PlanStep; x: number; y: number; path: string; below: Placed[] }

// Places leaves side by side and every parent over the middle of its children.
function place(step: PlanStep, depth: number, path: string, next: { leaf: number }): Placed {
  const below = step.inputs.map((input, i) => place(input, depth + 1, `${path}.${i}`, next))
  const first = below[0]
  const last = below[below.length - 1]
  const x = first && last ? (first.x + last.x) / 2 : next.leaf++ * (WIDTH + GAP_X)
  return { step, x, y: depth * (HEIGHT + GAP_Y), path, below }
}

function all(node: Placed): Placed[] {
  return [node, ...node.below.flatMap(all)]
}

function widthOf(character: string): number {
  return character.charCodeAt(0) > 0x2e7f ? 12 : 6.4
}

// Cuts a text into at most `most` lines that fit the box.
function lines(text: string, most: number): string[] {
  const out: string[] = []
  let line = ''
  let width = 0
  for (const character of text) {
    width += widthOf(character)
    if (width > TEXT) {
      out.push(line)
      line = ''
      width = widthOf(character)
    }
    line += character
  }
  out.push(line)
  if (out.length <= most) return out
  const kept = out.slice(0, most)
  kept[most - 1] = `${(kept[most - 1] ?? '').slice(0, -1)}…`
  return kept
}

function Box({ node, zh }: { node: Placed; zh: boolean }) {
  const { step, x, y } = node
  const title = zh ? step.title.zh : step.title.en
  return (
    <g className={step.who.length > 1 ? 'joint' : 'alone'} transform={`translate(${x},${y})`} data-testid={`plan-step-${step.kind}`}>
      <title>{title}</title>
      <rect width={WIDTH} height={HEIGHT} rx={8} />
      <text x={10} y={18} className="who">{lines(step.who.join(' · '), 1)[0]}</text>
      {lines(title, 3).map((line, i) => <text key={i} x={10} y={38 + i * 16}>{line}</text>)}
    </g>
  )
}

function Edge({ from, to }: { from: Placed; to: Placed }) {
  const x1 = from.x + WIDTH / 2
  const x2 = to.x + WIDTH / 2
  const y1 = from.y
  const y2 = to.y + HEIGHT
  const middle = (y1 + y2) / 2
  return <path d={`M${x1},${y1} C${x1},${middle} ${x2},${middle} ${x2},${y2}`} />
}

export function PlanTree({ step }: { step: PlanStep }) {
  const { zh } = useLanguage()
  const nodes = all(place(step, 0, '0', { leaf: 0 }))
  const width = Math.max(...nodes.map((node) => node.x)) + WIDTH + 2
  const height = Math.max(...nodes.map((node) => node.y)) + HEIGHT + 2
  return (
    <div className="plan-tree" data-testid="plan-tree">
      <svg width={width} height={height} viewBox={`-1 -1 ${width} ${height}`} role="img">
        {nodes.flatMap((node) => node.below.map((child) => <Edge key={child.path} from={child} to={node} />))}
        {nodes.map((node) => <Box key={node.path} node={node} zh={zh} />)}
      </svg>
    </div>
  )
}
