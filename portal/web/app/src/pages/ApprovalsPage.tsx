// Proposals that wait for a person of this organisation: what would be done, what leaves, and the decision.
import { Alert, App as Notices, Button, Card, Empty, Input, Space } from 'antd'
import { useState } from 'react'
import { type Fault, get, post } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { PlanView } from '../components/PlanView'
import { useSign } from '../components/Signer'
import { JobLink, Stack } from '../components/small'
import { asFault, useLoad } from '../load'
import type { Job, JobSummary, Prepared } from '../types'
import { useLanguage } from '../words/language'

export function ApprovalsPage() {
  const { t } = useLanguage()
  const jobs = useLoad('jobs', () => get<JobSummary[]>('/api/jobs'))
  const waiting = (jobs.data ?? []).filter((job) => job.waits_for_me)
  return (
    <Notices>
      <Stack testid="approvals-page">
        <div><Button onClick={jobs.reload} loading={jobs.loading} data-testid="refresh">{t('refresh')}</Button></div>
        <FaultAlert fault={jobs.fault} />
        {jobs.data && waiting.length === 0 && <Empty description={t('nothingWaits')} data-testid="approvals-empty" />}
        {waiting.map((job) => <Proposal key={job.id} job={job} decided={jobs.reload} />)}
      </Stack>
    </Notices>
  )
}

function Proposal({ job, decided }: { job: JobSummary; decided: () => void }) {
  const { t, time } = useLanguage()
  const sign = useSign()
  const { message } = Notices.useApp()
  const full = useLoad(`job ${job.id}`, () => get<Job>(`/api/jobs/${job.id}`))
  const [reason, setReason] = useState('')
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)

  const decide = async (approve: boolean) => {
    setFault(null)
    if (!approve && !reason.trim()) {
      void message.warning(t('reasonNeeded'))
      return
    }
    setBusy(true)
    try {
      const prepare = () => post<Prepared>('/api/approvals/prepare', { job: job.id, approve, reason })
      const done = await sign({ prepare, kind: approve ? 'approved' : 'rejected', subject: job.id })
      if (done) {
        void message.success(`${t(approve ? 'approvedDone' : 'rejectedDone')} · ${t('executed', { height: done.height })}`)
        decided()
      }
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  const title = <>{job.analyst} → {job.receiver} · {job.purpose} · <JobLink id={job.id} /></>
  return (
    <Card size="small" title={title} extra={`${t('expires')} ${time(job.expires)}`} data-testid="proposal" data-job={job.id}>
      <div className="page-stack">
        {full.data?.sql && <pre className="sql">{full.data.sql}</pre>}
        <FaultAlert fault={full.fault} />
        <Alert type="info" showIcon message={t('whatLeaves')} />
        {full.data && <PlanView explanation={full.data.explanation} />}
        <Space>
          <Button type="primary" loading={busy} disabled={!full.data} onClick={() => void decide(true)} data-testid="approve">{t('approve')}</Button>
          <Button danger loading={busy} disabled={!full.data} onClick={() => void decide(false)} data-testid="reject">{t('reject')}</Button>
          <Input value={reason} onChange={(event) => setReason(event.target.value)} placeholder={t('reason')} style={{ width: 360 }} data-testid="reject-reason" />
        </Space>
        <FaultAlert fault={fault} />
      </div>
    </Card>
  )
}
