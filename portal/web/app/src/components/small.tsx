// Small parts that many pages use.
import { Tag, Typography } from 'antd'
import type { ReactNode } from 'react'
import { Link } from 'react-router-dom'
import { useLanguage } from '../words/language'

const COLOURS: Record<string, string> = {
  waiting: 'orange', running: 'blue', done: 'green', approved: 'green', aborted: 'red', rejected: 'red',
  cancelled: 'default', expired: 'default',
}

export function Status({ status }: { status: string }) {
  const { term } = useLanguage()
  return <Tag color={COLOURS[status] ?? 'default'} data-testid="status" data-status={status}>{term('status', status)}</Tag>
}

export function short(digest: string): string {
  return digest.length > 20 ? `${digest.slice(0, 10)}…${digest.slice(-6)}` : digest
}

export function Digest({ value, whole = false }: { value: string; whole?: boolean }) {
  return (
    <Typography.Text className="digest" copyable={whole ? { text: value } : false} title={value}>
      {whole ? value : short(value)}
    </Typography.Text>
  )
}

export function JobLink({ id }: { id: string }) {
  return <Link to={`/jobs/${id}`} data-testid="job-link" data-job={id}><Digest value={id} /></Link>
}

export function Stack({ children, testid }: { children: ReactNode; testid?: string }) {
  return <div className="page-stack" data-testid={testid}>{children}</div>
}

// Hands the person a file without asking anybody.
export function save(name: string, bytes: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([bytes], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 1000)
}
