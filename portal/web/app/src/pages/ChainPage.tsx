// The ledger: its state, blocks, and transactions.
import { Alert, Button, Card, Descriptions, Drawer, Input, Space, Table } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router-dom'
import { get } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { Digest, Stack } from '../components/small'
import { useLoad } from '../load'
import type { Block, BlockList, BlockSummary, Chain, TransactionDetail, TransactionSummary } from '../types'
import { useLanguage } from '../words/language'

// What the drawer shows: a block, a transaction, or nothing. The address keeps it.
function useShown() {
  const [search, setSearch] = useSearchParams()
  return {
    block: search.get('block'),
    transaction: search.get('tx'),
    showBlock: (height: number) => setSearch({ block: String(height) }),
    showTransaction: (digest: string) => setSearch({ tx: digest }),
    close: () => setSearch({}),
  }
}

export function ChainPage() {
  const { t } = useLanguage()
  const shown = useShown()
  const chain = useLoad('chain', () => get<Chain>('/api/chain'))
  const [wanted, setWanted] = useState('')
  const isDigest = /^[0-9a-f]{64}$/.test(wanted)
  return (
    <Stack testid="chain-page">
      <FaultAlert fault={chain.fault} />
      {chain.data && <ChainFacts chain={chain.data} />}
      <Space.Compact style={{ maxWidth: 760 }}>
        <Input value={wanted} onChange={(event) => setWanted(event.target.value.trim())} placeholder={t('findTransaction')} className="digest" data-testid="chain-find" />
        <Button disabled={!isDigest} onClick={() => shown.showTransaction(wanted)} data-testid="chain-find-go">{t('transaction')}</Button>
      </Space.Compact>
      <Blocks show={shown.showBlock} />
      <Drawer open={shown.block !== null || shown.transaction !== null} onClose={shown.close} width={820} title={shown.block ? t('block') : t('transaction')}>
        {shown.block && <BlockDetail height={shown.block} show={shown.showTransaction} />}
        {shown.transaction && <TransactionFacts digest={shown.transaction} showBlock={shown.showBlock} />}
      </Drawer>
    </Stack>
  )
}

function ChainFacts({ chain }: { chain: Chain }) {
  const { t, time } = useLanguage()
  const items = [
    { key: 'name', label: t('chain'), children: chain.name },
    { key: 'height', label: t('height'), children: <span data-testid="chain-height">{chain.height}</span> },
    { key: 'genesis', label: t('chainId'), span: 2, children: <Digest value={chain.genesis} whole /> },
    { key: 'time', label: t('time'), children: time(chain.time) },
    { key: 'transactions', label: t('transactions'), children: String(chain.transactions) },
    { key: 'engine', label: t('engine'), children: `${chain.engine} (${chain.epoch})` },
    { key: 'quorum', label: t('quorum'), children: `${chain.quorum} / ${chain.validators.length}` },
    { key: 'validators', label: t('validators'), span: 2, children: chain.validators.join(', ') },
  ]
  return <Descriptions size="small" bordered column={2} items={items} data-testid="chain-facts" style={{ background: '#fff' }} />
}

function Blocks({ show }: { show: (height: number) => void }) {
  const { t, time } = useLanguage()
  const [before, setBefore] = useState<number | null>(null)
  const path = before === null ? '/api/chain/blocks?limit=20' : `/api/chain/blocks?limit=20&before=${before}`
  const list = useLoad(path, () => get<BlockList>(path))
  const blocks = list.data?.blocks ?? []
  const last = blocks[blocks.length - 1]
  const columns = [
    { title: t('height'), dataIndex: 'height', render: (height: number) => <a onClick={() => show(height)} data-testid={`block-${height}`}>{height}</a> },
    { title: t('digest'), dataIndex: 'digest', render: (digest: string) => <Digest value={digest} /> },
    { title: t('time'), dataIndex: 'time', render: time },
    { title: t('proposer'), dataIndex: 'proposer' },
    { title: t('transactions'), dataIndex: 'transactions' },
  ]
  const extra = (
    <Space>
      <Button size="small" onClick={() => (before === null ? list.reload() : setBefore(null))} data-testid="blocks-newest">{t('newest')}</Button>
      <Button size="small" disabled={!last || last.height <= 1} onClick={() => last && setBefore(last.height)} data-testid="blocks-older">{t('older')}</Button>
    </Space>
  )
  return (
    <Card size="small" title={t('blocks')} extra={extra}>
      <FaultAlert fault={list.fault} />
      <Table<BlockSummary> rowKey="height" size="small" pagination={false} loading={list.loading} columns={columns} dataSource={blocks} data-testid="table-blocks" />
    </Card>
  )
}

function BlockDetail({ height, show }: { height: string; show: (digest: string) => void }) {
  const { t, term, time } = useLanguage()
  const block = useLoad(`block ${height}`, () => get<Block>(`/api/chain/blocks/${encodeURIComponent(height)}`))
  if (!block.data) return <FaultAlert fault={block.fault} />
  const shown = block.data
  const items = [
    { key: 'height', label: t('height'), children: String(shown.height) },
    { key: 'time', label: t('time'), children: time(shown.time) },
    { key: 'digest', label: t('digest'), children: <Digest value={shown.digest} whole /> },
    { key: 'parent', label: t('parent'), children: <Digest value={shown.parent} whole /> },
    { key: 'state', label: t('stateRoot'), children: <Digest value={shown.state_root} whole /> },
    { key: 'root', label: t('transactionsRoot'), children: <Digest value={shown.transactions_root} whole /> },
    { key: 'proposer', label: t('proposer'), children: shown.proposer },
    { key: 'signers', label: t('signers'), children: shown.signers.join(', ') },
  ]
  const columns = [
    { title: t('transaction'), dataIndex: 'digest', render: (digest: string) => <a onClick={() => show(digest)}><Digest value={digest} /></a> },
    { title: t('kind'), dataIndex: 'kind', render: (kind: string) => term('kind', kind) },
    { title: t('sender'), dataIndex: 'sender' },
    { title: t('refusal'), dataIndex: 'refusal', render: (refusal: string | null) => refusal ?? '' },
  ]
  return (
    <Stack testid="block-detail">
      <Descriptions size="small" bordered column={1} items={items} />
      <Table<TransactionSummary> rowKey="digest" size="small" pagination={false} columns={columns} dataSource={shown.entries} />
    </Stack>
  )
}

function TransactionFacts({ digest, showBlock }: { digest: string; showBlock: (height: number) => void }) {
  const { t, term, time } = useLanguage()
  const path = `/api/chain/transactions/${encodeURIComponent(digest)}`
  const transaction = useLoad(path, () => get<TransactionDetail>(path))
  if (!transaction.data) return <FaultAlert fault={transaction.fault} />
  const shown = transaction.data
  const items = [
    { key: 'digest', label: t('digest'), children: <Digest value={shown.digest} whole /> },
    { key: 'kind', label: t('kind'), children: term('kind', shown.kind) },
    { key: 'sender', label: t('sender'), children: shown.sender },
    { key: 'subject', label: t('subject'), children: <Digest value={shown.subject} whole /> },
    { key: 'height', label: t('height'), children: <a onClick={() => showBlock(shown.height)}>{shown.height} # {shown.index}</a> },
    { key: 'time', label: t('time'), children: time(shown.time) },
    { key: 'until', label: t('validUntil'), children: String(shown.valid_until) },
    { key: 'key', label: t('senderKey'), children: <Digest value={shown.sender_key} whole /> },
    { key: 'signature', label: t('signature'), children: <Digest value={shown.signature} whole /> },
  ]
  return (
    <Stack testid="transaction-detail">
      {shown.refusal && <Alert type="error" showIcon message={t('refusedByLedger', { why: shown.refusal })} />}
      <Descriptions size="small" bordered column={1} items={items} />
    </Stack>
  )
}
