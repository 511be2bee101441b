// Evidence: a job's records on the ledger, the verifier's steps, the bundle as a file, and files from elsewhere.
import { Button, Card, Input, Select, Space, Timeline } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { type Fault, bytes, get, postBytes } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { VerdictView } from '../components/Verdict'
import { Digest, Stack, save, short } from '../components/small'
import { asFault, useLoad } from '../load'
import { useSession } from '../session'
import type { Evidence, EvidenceRecord, JobSummary, Verdict } from '../types'
import { useLanguage } from '../words/language'

function verify(bundle: Blob, genesis: string): Promise<Verdict> {
  return postBytes<Verdict>(`/api/evidence/verify?genesis=${encodeURIComponent(genesis)}`, bundle)
}

export function EvidencePage() {
  const { t } = useLanguage()
  const id = useParams().id
  const navigate = useNavigate()
  const jobs = useLoad('jobs', () => get<JobSummary[]>('/api/jobs'))
  const options = (jobs.data ?? []).map((job) => ({ value: job.id, label: `${short(job.id)} · ${job.analyst} · ${job.purpose} · ${job.status}` }))
  return (
    <Stack testid="evidence-page">
      <Select
        value={id}
        options={options}
        placeholder={t('chooseJob')}
        onChange={(job: string) => navigate(`/evidence/${job}`)}
        style={{ maxWidth: 720 }}
        data-testid="evidence-choose"
      />
      <FaultAlert fault={jobs.fault} />
      {id && <JobEvidence key={id} id={id} />}
      <FileCard />
    </Stack>
  )
}

// Shows a verdict or why there is none.
function useVerdict() {
  const [verdict, setVerdict] = useState<Verdict | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (ask: () => Promise<Verdict | null>) => {
    setBusy(true)
    setFault(null)
    try {
      setVerdict(await ask())
    } catch (why) {
      setVerdict(null)
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  return { verdict, fault, busy, run }
}

function JobEvidence({ id }: { id: string }) {
  const { t } = useLanguage()
  const { pinned } = useSession()
  const path = `/api/jobs/${encodeURIComponent(id)}/evidence`
  const evidence = useLoad(`evidence ${id}`, () => get<Evidence>(path))
  const { verdict, fault, busy, run } = useVerdict()
  const fetchBundle = () => bytes(`${path}/bundle`)
  // What is verified is the very file that would be exported, against the digest that this browser pinned.
  const verifyNow = () => run(async () => verify(new Blob([await fetchBundle()]), pinned))
  const exportNow = () => run(async () => {
    save(`evidence-${id.slice(0, 16)}.heqi`, await fetchBundle(), 'application/octet-stream')
    return verdict
  })
  return (
    <Card size="small" title={<Digest value={id} whole />}>
      <div className="page-stack">
        <Space>
          <Button type="primary" loading={busy} onClick={() => void verifyNow()} data-testid="evidence-verify">{t('verify')}</Button>
          <Button loading={busy} onClick={() => void exportNow()} data-testid="evidence-export">{t('exportBundle')}</Button>
        </Space>
        <FaultAlert fault={fault ?? evidence.fault} />
        {verdict && <VerdictView verdict={verdict} />}
        {evidence.data && <Records records={evidence.data.records} />}
      </div>
    </Card>
  )
}

function Records({ records }: { records: EvidenceRecord[] }) {
  const { t, term, time, pick } = useLanguage()
  const items = records.map((record) => ({
    key: record.transaction,
    children: (
      <div data-testid="evidence-record" data-kind={record.kind}>
        <b>{term('kind', record.kind)}</b> · {record.sender} · {t('height')} {record.height} · {time(record.time)}
        <div>{pick(record.text_zh, record.text_en)}</div>
        <Link to={`/chain?tx=${record.transaction}`}><Digest value={record.transaction} /></Link>
      </div>
    ),
  }))
  return <Timeline items={items} data-testid="evidence-timeline" />
}

function FileCard() {
  const { t } = useLanguage()
  const { pinned } = useSession()
  const [genesis, setGenesis] = useState(pinned)
  const [file, setFile] = useState<File | null>(null)
  const { verdict, fault, busy, run } = useVerdict()
  const verifyFile = () => run(async () => (file ? verify(file, genesis.trim()) : null))
  return (
    <Card size="small" title={t('verifyUpload')} data-testid="evidence-upload">
      <div className="page-stack">
        <label>
          {t('pinnedGenesis')}
          <Input value={genesis} onChange={(event) => setGenesis(event.target.value)} className="digest" data-testid="evidence-genesis" />
        </label>
        <Space>
          <input type="file" className="file-input" onChange={(event) => setFile(event.target.files?.[0] ?? null)} data-testid="evidence-file" />
          <Button disabled={!file} loading={busy} onClick={() => void verifyFile()} data-testid="evidence-verify-file">{t('verify')}</Button>
        </Space>
        <FaultAlert fault={fault} />
        {verdict && <VerdictView verdict={verdict} />}
      </div>
    </Card>
  )
}
