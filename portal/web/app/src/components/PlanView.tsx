// A plan: the tree, who learns what, who reads what, the tier in plain words, and estimates.
import { Alert, Descriptions, Table, Typography } from 'antd'
import { useLanguage } from '../words/language'
import { PlanTree } from './PlanTree'
import { type Plan, asPlan } from './plan'

export function PlanView({ explanation }: { explanation: unknown }) {
  const { t } = useLanguage()
  if (explanation === null || explanation === undefined) return null
  const plan = asPlan(explanation)
  if (!plan) return <pre className="sql" data-testid="plan-json">{JSON.stringify(explanation, null, 2)}</pre>
  return (
    <div className="page-stack" data-testid="plan">
      <PlanTree step={plan.steps} />
      <Summary plan={plan} />
      <Typography.Title level={5}>{t('learns')}</Typography.Title>
      <Learns plan={plan} />
      <Typography.Title level={5}>{t('reads')}</Typography.Title>
      <Reads plan={plan} />
    </div>
  )
}

function size(bytes: number): string {
  return bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MiB` : `${Math.ceil(bytes / 1024)} KiB`
}

function Summary({ plan }: { plan: Plan }) {
  const { t, pick } = useLanguage()
  const { rows_bound: rows, max_groups: groups, rounds, millis } = plan
  const rest = { rows, rounds, millis, bytes: size(plan.bytes) }
  const estimates = groups === null ? t('estimateRowsText', rest) : t('estimateText', { ...rest, groups })
  const shown = pick(plan.suppression.zh, plan.suppression.en)
  const items = [
    { key: 'tier', label: `${t('tier')} ${plan.tier}`, children: <Alert type="warning" message={pick(plan.tier_words.zh, plan.tier_words.en)} data-testid="plan-tier" /> },
    { key: 'nodes', label: t('computeNodes'), children: plan.nodes.join(', ') },
    { key: 'protocol', label: t('protocol'), children: pick(plan.protocol.zh, plan.protocol.en) },
    { key: 'min', label: t('minGroup'), children: plan.min_group === null ? shown : `${plan.min_group}: ${shown}` },
    { key: 'estimates', label: t('estimates'), children: estimates },
  ]
  if (plan.program) {
    const { and_gates: gates, memory } = plan.program.size
    const products = plan.program.products ?? null
    const signature = `${products === null ? 'main' : ''}(${plan.program.arguments.join(', ')}) -> ${plan.program.result}`
    const facts = { signature, memory: size(memory) }
    const told = products === null ? t('programText', { ...facts, gates }) : t('vectorsText', { ...facts, products })
    items.push({ key: 'program', label: t('program'), children: told })
    const ranges = plan.program.ranges ?? []
    if (ranges.length > 0) items.push({ key: 'ranges', label: t('valueRanges'), children: ranges.join(' · ') })
  }
  return <Descriptions size="small" bordered column={1} items={items} data-testid="plan-summary" />
}

function Learns({ plan }: { plan: Plan }) {
  const { t, pick } = useLanguage()
  const rows = plan.learns.map((learns, place) => ({ key: place, party: learns.party, what: pick(learns.what.zh, learns.what.en) }))
  const columns = [
    { title: t('party'), dataIndex: 'party', width: 160 },
    { title: t('learnsWhat'), dataIndex: 'what' },
  ]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="plan-learns" />
}

function Reads({ plan }: { plan: Plan }) {
  const { t, pick } = useLanguage()
  const rows = plan.reads.map((read, place) => ({
    key: place,
    owner: read.owner,
    dataset: `${read.dataset} ${read.title}`,
    columns: read.columns.join(', '),
    keys: read.keys.join(', ') || '–',
    filter: read.filter ?? '–',
    bound: `≤ ${read.rows_bound}`,
    role: pick(read.role.zh, read.role.en),
  }))
  const columns = [
    { title: t('owner'), dataIndex: 'owner' },
    { title: t('dataset'), dataIndex: 'dataset' },
    { title: t('columns'), dataIndex: 'columns' },
    { title: t('joinKey'), dataIndex: 'keys' },
    { title: 'WHERE', dataIndex: 'filter' },
    { title: t('rowsBound'), dataIndex: 'bound' },
    { title: '', dataIndex: 'role' },
  ]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="plan-reads" />
}
