// The frame: who is signed in, the menu, and the page that the address names.
import {
  ApiOutlined, AuditOutlined, BlockOutlined, CheckSquareOutlined, CodeOutlined, DashboardOutlined, DatabaseOutlined,
  ProfileOutlined,
} from '@ant-design/icons'
import { Alert, Button, ConfigProvider, Layout, Menu, Spin, Tag } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useEffect, useState } from 'react'
import { Link, Navigate, Route, Routes, useLocation } from 'react-router-dom'
import { get, listen, post } from './api'
import { FaultAlert } from './components/FaultAlert'
import { SignerProvider } from './components/Signer'
import { useLoad } from './load'
import { ApiPage } from './pages/ApiPage'
import { ApprovalsPage } from './pages/ApprovalsPage'
import { ChainPage } from './pages/ChainPage'
import { EvidencePage } from './pages/EvidencePage'
import { JobPage } from './pages/JobPage'
import { JobsPage } from './pages/JobsPage'
import { LoginPage } from './pages/LoginPage'
import { OverviewPage } from './pages/OverviewPage'
import { QueryPage } from './pages/QueryPage'
import { SourcesPage } from './pages/SourcesPage'
import { SessionProvider, useSession } from './session'
import type { Me } from './types'
import type { Word } from './words/dictionary'
import { useLanguage } from './words/language'

const MENU: { path: string; word: Word; icon: JSX.Element }[] = [
  { path: '/', word: 'overview', icon: <DashboardOutlined /> },
  { path: '/sources', word: 'sources', icon: <DatabaseOutlined /> },
  { path: '/query', word: 'query', icon: <CodeOutlined /> },
  { path: '/approvals', word: 'approvals', icon: <CheckSquareOutlined /> },
  { path: '/jobs', word: 'jobs', icon: <ProfileOutlined /> },
  { path: '/evidence', word: 'evidence', icon: <AuditOutlined /> },
  { path: '/chain', word: 'chain', icon: <BlockOutlined /> },
  { path: '/api', word: 'interface', icon: <ApiOutlined /> },
]

export function App() {
  const { zh } = useLanguage()
  const location = useLocation()
  const me = useLoad('me', () => get<Me>('/api/me'))
  const theme = { token: { colorPrimary: '#1f5c57', borderRadius: 6 } }
  let page = <Spin fullscreen />
  if (me.data) page = <Inside me={me.data} />
  else if (me.fault?.status === 401) page = <LoginPage failed={location.search.includes('failed')} />
  else if (me.fault) page = <FaultAlert fault={me.fault} />
  return (
    <ConfigProvider locale={zh ? zhCN : enUS} theme={theme}>
      {page}
    </ConfigProvider>
  )
}

function Inside({ me }: { me: Me }) {
  return (
    <SessionProvider me={me}>
      <SignerProvider>
        <Layout className="shell">
          <Header />
          <Layout.Content className="shell-content">
            <PinWarning />
            <Pages />
          </Layout.Content>
        </Layout>
      </SignerProvider>
    </SessionProvider>
  )
}

function Pages() {
  return (
    <Routes>
      <Route path="/" element={<OverviewPage />} />
      <Route path="/sources" element={<SourcesPage />} />
      <Route path="/query" element={<QueryPage />} />
      <Route path="/approvals" element={<ApprovalsPage />} />
      <Route path="/jobs" element={<JobsPage />} />
      <Route path="/jobs/:id" element={<JobPage />} />
      <Route path="/evidence" element={<EvidencePage />} />
      <Route path="/evidence/:id" element={<EvidencePage />} />
      <Route path="/chain" element={<ChainPage />} />
      <Route path="/api" element={<ApiPage />} />
      <Route path="*" element={<Navigate to="/" replace />} />
    </Routes>
  )
}

function PinWarning() {
  const { t } = useLanguage()
  const { me, pinned } = useSession()
  if (me.chain === pinned) return null
  return <Alert type="error" showIcon message={t('pinChanged')} data-testid="pin-changed" style={{ marginBottom: 16 }} />
}

function Header() {
  const { t, toggle, pick, term } = useLanguage()
  const { me, key, setKey } = useSession()
  const path = `/${useLocation().pathname.split('/')[1] ?? ''}`
  const items = MENU.map(({ path: to, word, icon }) => ({
    key: to,
    icon,
    label: <Link to={to} data-testid={`menu-${word}`}>{t(word)}</Link>,
  }))
  const signOut = () => {
    setKey(null)
    void post<null>('/api/session/end', {}).finally(() => window.location.reload())
  }
  return (
    <>
      <Layout.Header className="shell-header">
        <span className="name">{t('product')}</span>
        <span>{pick(me.org.name_zh, me.org.name_en)}</span>
        <span className="grow" />
        <Height start={me.height} />
        <span data-testid="person">{me.person}</span>
        {me.roles.map((role) => <Tag key={role} color="gold">{term('role', role)}</Tag>)}
        {key && (
          <Button size="small" onClick={() => setKey(null)} data-testid="forget-key" title={t('keyLoaded', { name: key.name })}>
            {t('forgetKey')}
          </Button>
        )}
        <Button size="small" onClick={toggle} data-testid="language">{t('language')}</Button>
        <Button size="small" onClick={signOut} data-testid="sign-out">{t('signOut')}</Button>
      </Layout.Header>
      <Menu disabledOverflow mode="horizontal" selectedKeys={[path]} items={items} data-testid="menu" />
    </>
  )
}

// The ledger's height, as the node announces it.
function Height({ start }: { start: number }) {
  const { t } = useLanguage()
  const [height, setHeight] = useState(start)
  useEffect(() => listen<{ height: number }>('/api/events', 'height', (tip) => setHeight(tip.height)), [])
  return <Tag data-testid="height">{t('height')} {height}</Tag>
}
