// The interface, as the node's own OpenAPI description tells it.
import { Collapse, Table, Tag, Typography } from 'antd'
import { get } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { Stack } from '../components/small'
import { useLoad } from '../load'
import { useLanguage } from '../words/language'

interface Schema {
  $ref?: string
  type?: string | string[]
  items?: Schema
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  allOf?: Schema[]
  oneOf?: Schema[]
}
interface Content { content?: Record<string, { schema?: Schema }>; description?: string }
interface Operation {
  summary?: string
  description?: string
  tags?: string[]
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
  requestBody?: Content
  responses?: Record<string, Content>
}
interface OpenApi {
  info: { title: string; version: string; description?: string }
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

const COLOURS: Record<string, string> = { get: 'blue', post: 'green' }

// A schema in one line: `[JobSummary]`, `string`, `integer | null`.
function brief(schema: Schema | undefined): string {
  if (!schema) return ''
  if (schema.$ref) return schema.$ref.split('/').pop() ?? ''
  if (schema.items) return `[${brief(schema.items)}]`
  const parts = schema.oneOf ?? schema.allOf
  if (parts) return parts.map(brief).filter(Boolean).join(schema.oneOf ? ' | ' : ' & ')
  return Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any')
}

function contentOf(content: Content | undefined): string {
  const kinds = Object.entries(content?.content ?? {})
  return kinds.map(([mime, { schema }]) => `${mime}: ${brief(schema)}`).join('; ') || (content?.description ?? '')
}

export function ApiPage() {
  const { t } = useLanguage()
  const api = useLoad('openapi', () => get<OpenApi>('/api/openapi.json'))
  if (!api.data) return <FaultAlert fault={api.fault} />
  const routes = Object.entries(api.data.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const items = routes.map(({ path, method, operation }) => ({
    key: `${method} ${path}`,
    label: (
      <span data-testid="api-route" data-route={`${method} ${path}`}>
        <Tag color={COLOURS[method] ?? 'default'}>{method.toUpperCase()}</Tag>
        <code>{path}</code> <Typography.Text type="secondary">{operation.summary}</Typography.Text>
      </span>
    ),
    children: <OperationFacts operation={operation} />,
  }))
  const schemas = Object.entries(api.data.components?.schemas ?? {}).map(([name, schema]) => ({
    key: name,
    label: <code>{name}</code>,
    children: <SchemaFacts schema={schema} />,
  }))
  return (
    <Stack testid="api-page">
      <Typography.Title level={4}>{api.data.info.title} {api.data.info.version}</Typography.Title>
      <Typography.Paragraph>{api.data.info.description} {t('apiIntro')}</Typography.Paragraph>
      <Collapse size="small" items={items} />
      <Typography.Title level={5}>{t('schemas')}</Typography.Title>
      <Collapse size="small" items={schemas} />
    </Stack>
  )
}

function OperationFacts({ operation }: { operation: Operation }) {
  const { t } = useLanguage()
  const parameters = operation.parameters ?? []
  const rows = parameters.map((parameter) => ({
    key: parameter.name,
    name: `${parameter.name} (${parameter.in})${parameter.required ? ' *' : ''}`,
    type: brief(parameter.schema),
    text: parameter.description ?? '',
  }))
  const answers = Object.entries(operation.responses ?? {}).map(([status, content]) => ({
    key: status,
    name: status,
    type: contentOf(content),
    text: content.description ?? '',
  }))
  const columns = [{ dataIndex: 'name', width: 220 }, { dataIndex: 'type' }, { dataIndex: 'text' }]
  return (
    <div className="page-stack">
      {operation.description && <Typography.Text>{operation.description}</Typography.Text>}
      {rows.length > 0 && <Table size="small" title={() => t('parameters')} showHeader={false} pagination={false} columns={columns} dataSource={rows} />}
      {operation.requestBody && <div>{t('requestBody')}: <code>{contentOf(operation.requestBody)}</code></div>}
      <Table size="small" title={() => t('answers')} showHeader={false} pagination={false} columns={columns} dataSource={answers} />
    </div>
  )
}

// The fields of a structure, those of its parts included.
function fields(schema: Schema): [string, Schema, boolean][] {
  const own = Object.entries(schema.properties ?? {}).map(
    ([name, field]): [string, Schema, boolean] => [name, field, schema.required?.includes(name) ?? false],
  )
  return [...(schema.allOf ?? []).flatMap((part): [string, Schema, boolean][] => (part.$ref ? [['…', part, true]] : fields(part))), ...own]
}

function SchemaFacts({ schema }: { schema: Schema }) {
  const rows = fields(schema).map(([name, field, required], key) => ({
    key,
    name: required ? name : `${name}?`,
    type: brief(field),
    text: field.description ?? '',
  }))
  const columns = [{ dataIndex: 'name', width: 200 }, { dataIndex: 'type', width: 220 }, { dataIndex: 'text' }]
  return (
    <div className="page-stack">
      {schema.description && <Typography.Text>{schema.description}</Typography.Text>}
      <Table size="small" showHeader={false} pagination={false} columns={columns} dataSource={rows} />
    </div>
  )
}
