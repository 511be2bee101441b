// A joint query: write, check what everybody would learn, sign, submit.
import { Alert, Button, Card, Form, Input, Space, Table } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { type Fault, get, post } from '../api'
import { FaultAlert, FaultViewAlert } from '../components/FaultAlert'
import { PlanView } from '../components/PlanView'
import { useSign } from '../components/Signer'
import { Stack } from '../components/small'
import { TierField } from '../components/TierField'
import { type Entry, readProposal } from '../gm/entry'
import { asFault, useLoad } from '../load'
import { useSession } from '../session'
import type { Catalogue, Check, MissingGrant, Prepared } from '../types'
import { useLanguage } from '../words/language'

const EXAMPLE = `SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c
JOIN health h ON c.person_id = h.person_id
LEFT JOIN deaths d ON c.person_id = d.person_id
WHERE h.age >= 40
GROUP BY c.education
ORDER BY c.education`

// The correlation of two owners' columns, both sorted by person.
const EXAMPLE_VECTORS = `COMPUTE VECTORS $$
scale 12;
input census[33, 2]; input health[33, 2];
x = column(sort(census), 2); y = column(sort(health), 2);
dx = x - mean(x); dy = y - mean(y);
r = dot(dx, dy) / max(sqrt(dot(dx, dx)) * sqrt(dot(dy, dy)), 1);
return r;
$$ WITH census = (SELECT person_id, income FROM census WHERE person_id < 1000) ELSE 18,
  health = (SELECT person_id, sbp FROM health WHERE person_id < 1000) ELSE 128`

export function QueryPage() {
  const { t } = useLanguage()
  const { me } = useSession()
  const sign = useSign()
  const navigate = useNavigate()
  const catalogue = useLoad('catalogue', () => get<Catalogue>('/api/catalogue'))
  const [sql, setSql] = useState('')
  const [purpose, setPurpose] = useState('health-statistics')
  const [nodes, setNodes] = useState('')
  const [tier, setTier] = useState('')
  const [check, setCheck] = useState<Check | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState<'check' | 'submit' | null>(null)

  const attempt = async (what: 'check' | 'submit', act: () => Promise<void>) => {
    setBusy(what)
    setFault(null)
    try {
      await act()
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(null)
    }
  }
  const draft = () => ({ sql, purpose, nodes: nodes.split(',').map((name) => name.trim()).filter(Boolean), tier: tier || undefined })
  const askCheck = () => attempt('check', async () => {
    setCheck(null)
    setCheck(await post<Check>('/api/queries/check', draft()))
  })
  const fits = (entry: Entry) => {
    const proposal = readProposal(entry.body)
    if (proposal.purpose !== purpose) return `purpose: ${proposal.purpose}`
    // A program runs in A, where both parties are trusted, only if that was asked for.
    const own = proposal.tier !== 'A' || !/^\s*compute(?!\w)/i.test(sql)
    if (tier ? proposal.tier.toLowerCase() !== tier : !own) return `tier: ${proposal.tier}`
    return proposal.analyst === me.person ? null : `analyst: ${proposal.analyst}`
  }
  const submit = () => attempt('submit', async () => {
    const prepare = () => post<Prepared>('/api/queries/prepare', draft())
    const done = await sign({ prepare, kind: 'proposed', check: fits })
    if (done?.job) navigate(`/jobs/${done.job}`)
  })
  const changed = (text: string) => {
    setSql(text)
    setCheck(null)
  }
  return (
    <Stack testid="query-page">
      <Card size="small" title={t('query')}>
        <Form layout="vertical">
          <Form.Item label={t('sql')} extra={t('sqlHint')}>
            <Input.TextArea
              value={sql}
              onChange={(event) => changed(event.target.value)}
              autoSize={{ minRows: 9, maxRows: 24 }}
              className="sql"
              spellCheck={false}
              data-testid="query-sql"
            />
          </Form.Item>
          <Form.Item label={t('purpose')}>
            <Input value={purpose} onChange={(event) => setPurpose(event.target.value.trim())} list="purposes" style={{ maxWidth: 320 }} data-testid="query-purpose" />
            <datalist id="purposes">
              {(catalogue.data?.purposes ?? []).map((word) => <option key={word} value={word} />)}
            </datalist>
          </Form.Item>
          <Form.Item label={t('computeNodes')} extra={t('computeNodesHint')}>
            <Input value={nodes} onChange={(event) => { setNodes(event.target.value); setCheck(null) }} style={{ maxWidth: 320 }} data-testid="query-nodes" />
          </Form.Item>
          <TierField value={tier} onChange={(asked) => { setTier(asked); setCheck(null) }} />
          <Space>
            <Button onClick={() => changed(EXAMPLE)} data-testid="query-example">{t('example')}</Button>
            <Button onClick={() => changed(EXAMPLE_VECTORS)} data-testid="query-example-vectors">{t('exampleVectors')}</Button>
            <Button disabled={!sql || busy !== null} loading={busy === 'check'} onClick={() => void askCheck()} data-testid="query-check">{t('check')}</Button>
            <Button type="primary" disabled={!check?.allowed || busy !== null} loading={busy === 'submit'} onClick={() => void submit()} data-testid="query-submit">
              {t('submit')}
            </Button>
          </Space>
        </Form>
      </Card>
      <FaultAlert fault={fault} />
      {check && <CheckResult check={check} />}
    </Stack>
  )
}

function CheckResult({ check }: { check: Check }) {
  const { t } = useLanguage()
  const message = check.allowed ? t('allowed') : t('notAllowed')
  return (
    <div className="page-stack" data-testid="check-result" data-allowed={String(check.allowed)}>
      <Alert type={check.allowed ? 'success' : 'warning'} showIcon message={message} />
      <FaultViewAlert fault={check.fault} />
      {check.missing.length > 0 && <Missing missing={check.missing} />}
      <Card size="small" title={t('plan')}><PlanView explanation={check.explanation} /></Card>
    </div>
  )
}

function Missing({ missing }: { missing: MissingGrant[] }) {
  const { t, term, pick } = useLanguage()
  const rows = missing.map((grant, key) => ({ key, ...grant }))
  const columns = [
    { title: t('askFor'), dataIndex: 'owner' },
    { title: t('dataset'), dataIndex: 'dataset' },
    { title: t('column'), dataIndex: 'column' },
    { title: t('need'), dataIndex: 'need', render: (need: string) => term('use', need) },
    { title: t('party'), dataIndex: 'party' },
    { title: t('purpose'), dataIndex: 'purpose' },
    { title: '', key: 'text', render: (_: unknown, row: MissingGrant) => pick(row.text_zh, row.text_en) },
  ]
  return (
    <Card size="small" title={t('missingGrants')}>
      <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="table-missing" />
    </Card>
  )
}
