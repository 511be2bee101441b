// The dialog before a signature: what will be signed, with which key.
import { Alert, Button, Descriptions, Input, Modal, Space, Typography } from 'antd'
import { useState } from 'react'
import type { Fault } from '../api'
import type { Entry } from '../gm/entry'
import { type Key, open } from '../gm/keyfile'
import { signTransaction } from '../gm/transaction'
import { asFault } from '../load'
import { useSession } from '../session'
import type { Submitted } from '../types'
import { DICTIONARY, type Word } from '../words/dictionary'
import { useLanguage } from '../words/language'
import { FaultAlert } from './FaultAlert'
import type { Draft } from './Signer'
import { Digest } from './small'

interface Props {
  draft: Draft
  send: (signed: unknown) => Promise<Submitted>
  finish: (done: Submitted | null) => void
}

export function SignDialog({ draft, send, finish }: Props) {
  const { t, pick } = useLanguage()
  const { key, setKey } = useSession()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<Fault | null>(null)
  const [refusal, setRefusal] = useState<string | null>(null)

  const sign = async () => {
    if (!key || draft.problem) return
    setBusy(true)
    setFault(null)
    try {
      const { signed, digest } = signTransaction(draft.prepared, key)
      const done = await send(signed)
      if (done.digest !== digest) throw new Error(`${done.digest} ≠ ${digest}`)
      if (done.refusal) setRefusal(done.refusal)
      else finish({ ...done, job: done.job ?? draft.prepared.job })
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  const footer = (
    <Space>
      <Button onClick={() => finish(null)} data-testid="sign-cancel">{t('cancel')}</Button>
      <Button
        type="primary"
        loading={busy}
        disabled={!key || draft.problem !== null || refusal !== null}
        onClick={() => void sign()}
        data-testid="sign-confirm"
      >
        {t('sign')}
      </Button>
    </Space>
  )
  return (
    <Modal open width={760} title={t('signTitle')} footer={footer} onCancel={() => finish(null)} maskClosable={false}>
      <div className="page-stack" data-testid="sign-dialog">
        <Typography.Text strong>{pick(draft.prepared.summary_zh, draft.prepared.summary_en)}</Typography.Text>
        <Typography.Text type="secondary">{t('signIntro')}</Typography.Text>
        {draft.problem && (
          <Alert type="error" showIcon message={t('mismatch', { what: draft.problem })} data-testid="sign-problem" />
        )}
        {draft.entry && <EntryFacts draft={draft} entry={draft.entry} />}
        {key ? <KeyLine keyOf={key} /> : <KeyForm opened={setKey} />}
        {refusal && <Alert type="error" showIcon message={t('refusedByLedger', { why: refusal })} data-testid="sign-refused" />}
        <FaultAlert fault={fault} />
      </div>
    </Modal>
  )
}

function label(name: string, t: (word: Word) => string): string {
  return name in DICTIONARY ? t(name as Word) : name
}

function EntryFacts({ draft, entry }: { draft: Draft; entry: Entry }) {
  const { t, term, time } = useLanguage()
  const items = [
    { key: 'kind', label: t('kind'), children: <span data-testid="sign-kind">{term('kind', entry.kind)}</span> },
    { key: 'subject', label: t('subject'), children: <Digest value={entry.subject} whole /> },
    ...draft.facts.map(([name, value], place) => ({
      key: `fact-${place}`,
      label: label(name, t),
      children: name === 'approvalMode' ? label(value, t) : value,
    })),
    { key: 'parties', label: t('parties'), children: entry.parties.join(', ') || t('none') },
    { key: 'expires', label: t('expires'), children: time(entry.expires) },
    { key: 'chain', label: t('chainId'), children: <Digest value={draft.prepared.chain} whole /> },
    { key: 'until', label: t('validUntil'), children: String(draft.prepared.valid_until) },
  ]
  return <Descriptions size="small" bordered column={1} items={items} data-testid="sign-facts" />
}

function KeyLine({ keyOf }: { keyOf: Key }) {
  const { t } = useLanguage()
  const { me } = useSession()
  const other = keyOf.name !== me.person
  const message = other ? t('keyOther', { name: keyOf.name }) : t('keyLoaded', { name: keyOf.name })
  return <Alert type={other ? 'warning' : 'success'} showIcon message={message} data-testid="key-loaded" />
}

function KeyForm({ opened }: { opened: (key: Key) => void }) {
  const { t } = useLanguage()
  const [file, setFile] = useState<File | null>(null)
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Word | null>(null)

  const load = async () => {
    if (!file) return
    setBusy(true)
    setProblem(null)
    const key = await open(await file.text(), password)
    setBusy(false)
    setPassword('')
    if (key === 'malformed') setProblem('keyMalformed')
    else if (key === 'password') setProblem('keyPassword')
    else opened(key)
  }
  return (
    <form
      className="page-stack"
      onSubmit={(event) => {
        event.preventDefault()
        void load()
      }}
    >
      <label>
        {t('keyFile')}{' '}
        <input
          type="file"
          accept=".json,application/json"
          className="file-input"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          data-testid="key-file"
        />
      </label>
      <Space.Compact>
        <Input.Password
          value={password}
          placeholder={t('password')}
          autoComplete="off"
          onChange={(event) => setPassword(event.target.value)}
          data-testid="key-password"
        />
        <Button htmlType="submit" loading={busy} disabled={!file} data-testid="key-open">
          {busy ? t('opening') : 'OK'}
        </Button>
      </Space.Compact>
      {problem && <Alert type="error" showIcon message={t(problem)} data-testid="key-problem" />}
    </form>
  )
}
