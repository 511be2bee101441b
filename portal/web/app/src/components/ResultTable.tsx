// The answer: rows of texts, NULLs, and cells that too few people stand behind.
import { Button, Space, Table, Typography } from 'antd'
import type { Answer, Cell } from '../types'
import { useLanguage } from '../words/language'
import { save } from './small'

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function csv(answer: Answer, suppressed: string): string {
  const text = (cell: Cell) => (cell.suppressed ? suppressed : (cell.value ?? ''))
  const rows = [answer.columns, ...answer.rows.map((row) => row.map(text))]
  return rows.map((row) => row.map(quoted).join(',')).join('\r\n')
}

export function ResultTable({ answer, name }: { answer: Answer; name: string }) {
  const { t } = useLanguage()
  const columns = answer.columns.map((title, column) => ({
    title,
    key: String(column),
    render: (_: unknown, record: { key: number; row: Cell[] }) => {
      const cell = record.row[column]
      return <Shown cell={cell} testid={`cell-${record.key}-${column}`} />
    },
  }))
  const rows = answer.rows.map((row, key) => ({ key, row }))
  // The mark tells spreadsheets that the text is UTF-8.
  const download = () => save(`${name}.csv`, `\ufeff${csv(answer, t('suppressed'))}`, 'text/csv;charset=utf-8')
  return (
    <div className="page-stack" data-testid="result">
      <Table size="small" bordered columns={columns} dataSource={rows} pagination={false} data-testid="result-table" />
      <Space>
        <Button size="small" onClick={download} data-testid="result-csv">{t('downloadCsv')}</Button>
        <Typography.Text type="secondary">{t('suppressed')}: {t('suppressedHelp')}</Typography.Text>
      </Space>
    </div>
  )
}

function Shown({ cell, testid }: { cell: Cell | undefined; testid: string }) {
  const { t } = useLanguage()
  if (!cell) return null
  if (cell.suppressed) return <span className="suppressed" data-testid={testid} data-suppressed="true">{t('suppressed')}</span>
  if (cell.value === null) return <span className="null" data-testid={testid}>NULL</span>
  return <span data-testid={testid}>{cell.value}</span>
}
