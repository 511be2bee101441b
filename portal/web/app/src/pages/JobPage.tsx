// One job: where it is, who approved, what it does, what came out.
import { Alert, Button, Card, Descriptions, Input, Progress, Space, Table, Timeline, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { type Fault, get, listen, post } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { PlanView } from '../components/PlanView'
import { ResultTable } from '../components/ResultTable'
import { useSign } from '../components/Signer'
import { Digest, Stack, Status } from '../components/small'
import { asFault, useLoad } from '../load'
import type { Answer, Approval, Job, Prepared, ProgressEvent, TimelineItem } from '../types'
import { useLanguage } from '../words/language'

const OPEN = ['waiting', 'running']

export function JobPage() {
  const { t } = useLanguage()
  const id = useParams().id ?? ''
  const job = useLoad(`job ${id}`, () => get<Job>(`/api/jobs/${encodeURIComponent(id)}`))
  const open = job.data !== null && OPEN.includes(job.data.status)
  const heard = useProgress(id, open, job.reload)
  return (
    <Stack testid="job-page">
      <FaultAlert fault={job.fault} />
      {job.data && (
        <>
          <Facts job={job.data} reload={job.reload} />
          {open && heard && <ProgressCard heard={heard} />}
          {open && job.data.party && <CallOff id={id} done={job.reload} />}
          {job.data.has_result && <ResultCard id={id} />}
          <Card size="small" title={t('approvals')}><Approvals approvals={job.data.approvals} /></Card>
          <Card size="small" title={t('plan')}><PlanOf job={job.data} /></Card>
          <Card size="small" title={t('timeline')}><Records items={job.data.timeline} /></Card>
        </>
      )}
    </Stack>
  )
}

// Hears progress while the job is open; when a status changes or the stream ends, the page asks again.
function useProgress(id: string, open: boolean, reload: () => void): ProgressEvent | null {
  const [heard, setHeard] = useState<ProgressEvent | null>(null)
  useEffect(() => {
    if (!open) return undefined
    let status = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = listen<ProgressEvent>(
      `/api/jobs/${encodeURIComponent(id)}/events`,
      'progress',
      (event) => {
        setHeard(event)
        if (status !== '' && status !== event.status) reload()
        status = event.status
      },
      () => {
        timer = setTimeout(reload, 500)
      },
    )
    // An approval elsewhere changes the page without a step of the run.
    const again = setInterval(reload, 3000)
    return () => {
      stop()
      clearInterval(again)
      if (timer) clearTimeout(timer)
    }
  }, [id, open, reload])
  return heard
}

function ProgressCard({ heard }: { heard: ProgressEvent }) {
  const { t, pick } = useLanguage()
  return (
    <Card size="small" title={t('progress')}>
      <Progress percent={heard.percent} status="active" data-testid="progress" />
      <span data-testid="progress-step">{pick(heard.text_zh, heard.text_en)}</span>
    </Card>
  )
}

// Any party may call a job off, also while it runs; the ledger says who did and why.
function CallOff({ id, done }: { id: string; done: () => void }) {
  const { t } = useLanguage()
  const sign = useSign()
  const [reason, setReason] = useState('')
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)

  const callOff = async () => {
    setFault(null)
    setBusy(true)
    try {
      const prepare = () => post<Prepared>('/api/cancellations/prepare', { job: id, reason })
      if (await sign({ prepare, kind: 'cancelled', subject: id })) done()
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Card size="small" title={t('callOff')}>
      <Space>
        <Input value={reason} onChange={(event) => setReason(event.target.value)} placeholder={t('callOffNeeds')} style={{ width: 360 }} data-testid="cancel-reason" />
        <Button danger loading={busy} disabled={!reason.trim()} onClick={() => void callOff()} data-testid="cancel-job">{t('callOff')}</Button>
      </Space>
      <FaultAlert fault={fault} />
    </Card>
  )
}

function Facts({ job, reload }: { job: Job; reload: () => void }) {
  const { t, pick, time } = useLanguage()
  const items = [
    { key: 'id', label: t('job'), children: <Digest value={job.id} whole /> },
    { key: 'status', label: t('status'), children: <Status status={job.status} /> },
    { key: 'analyst', label: t('analyst'), children: job.analyst },
    { key: 'receiver', label: t('receiver'), children: job.receiver },
    { key: 'purpose', label: t('purpose'), children: job.purpose },
    { key: 'datasets', label: t('datasets'), children: job.datasets.join(', ') },
    { key: 'nodes', label: t('computeNodes'), children: job.nodes.join(', ') },
    { key: 'tier', label: t('tier'), children: job.tier },
    { key: 'proposed', label: t('proposedAt'), children: time(job.proposed) },
    { key: 'expires', label: t('expires'), children: time(job.expires) },
    { key: 'attempt', label: t('attempt'), children: String(job.attempt) },
    { key: 'evidence', label: t('evidence'), children: <Link to={`/evidence/${job.id}`} data-testid="job-evidence">{t('evidence')}</Link> },
  ]
  const why = pick(job.reason_zh, job.reason_en)
  const refresh = <Button size="small" onClick={reload} data-testid="refresh">{t('refresh')}</Button>
  return (
    <Card size="small" title={t('job')} extra={refresh}>
      <div className="page-stack">
        <Descriptions size="small" bordered column={2} items={items} data-testid="job-facts" />
        {why && <Alert type="error" showIcon message={why} data-testid="job-reason" />}
      </div>
    </Card>
  )
}

function PlanOf({ job }: { job: Job }) {
  const { t } = useLanguage()
  if (!job.party) return <Typography.Text type="secondary">{t('noPlan')}</Typography.Text>
  return (
    <div className="page-stack">
      {job.sql && <pre className="sql" data-testid="job-sql">{job.sql}</pre>}
      <PlanView explanation={job.explanation} />
    </div>
  )
}

function ResultCard({ id }: { id: string }) {
  const { t } = useLanguage()
  const answer = useLoad(`result ${id}`, () => get<Answer>(`/api/jobs/${encodeURIComponent(id)}/result`))
  return (
    <Card size="small" title={t('result')} loading={answer.loading && !answer.data}>
      <FaultAlert fault={answer.fault} />
      {answer.data && <ResultTable answer={answer.data} name={`result-${id.slice(0, 12)}`} />}
    </Card>
  )
}

function Approvals({ approvals }: { approvals: Approval[] }) {
  const { t, time } = useLanguage()
  const columns = [
    { title: t('owner'), dataIndex: 'org' },
    { title: t('status'), dataIndex: 'state', render: (state: string) => <Status status={state} /> },
    { title: t('approvalMode'), key: 'how', render: (_: unknown, row: Approval) => (row.sender ? (row.by_rule ? t('byRule') : t('byPerson')) : '–') },
    { title: t('sender'), dataIndex: 'sender', render: (sender: string | null) => sender ?? '–' },
    { title: t('time'), dataIndex: 'time', render: time },
    { title: t('reason'), dataIndex: 'reason', render: (reason: string | null) => reason ?? '' },
  ]
  return <Table rowKey="org" size="small" pagination={false} columns={columns} dataSource={approvals} data-testid="table-approvals" />
}

function Records({ items }: { items: TimelineItem[] }) {
  const { term, t, time } = useLanguage()
  const shown = items.map((item) => ({
    key: item.transaction,
    children: (
      <span>
        <b>{term('kind', item.kind)}</b> · {item.sender} · {t('height')} {item.height} · {time(item.time)} ·{' '}
        <Link to={`/chain?tx=${item.transaction}`}><Digest value={item.transaction} /></Link>
      </span>
    ),
  }))
  return <Timeline items={shown} data-testid="job-timeline" />
}
