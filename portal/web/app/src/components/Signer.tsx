// Signing: prepare at the node, decode and compare here, show, sign with the person's key, send.
import { type ReactNode, createContext, useCallback, useContext, useMemo, useRef, useState } from 'react'
import { post } from '../api'
import { unhex } from '../gm/bytes'
import { type Entry, type Fact, type Kind, facts, readEntry } from '../gm/entry'
import { useSession } from '../session'
import type { Me, Prepared, Submitted } from '../types'
import { SignDialog } from './SignDialog'

export interface Ask {
  prepare: () => Promise<Prepared>
  // What the person meant; anything else is not signed.
  kind: Kind
  subject?: string
  // What is wrong with the entry, if something is.
  check?: (entry: Entry) => string | null
}

export interface Draft {
  prepared: Prepared
  entry: Entry | null
  facts: Fact[]
  problem: string | null
}

type Sign = (ask: Ask) => Promise<Submitted | null>

const Context = createContext<Sign>(() => Promise.resolve(null))

export function useSign(): Sign {
  return useContext(Context)
}

function problemOf(ask: Ask, prepared: Prepared, entry: Entry, me: Me, pinned: string): string | null {
  if (prepared.chain !== me.chain || prepared.chain !== pinned) return 'chain'
  if (entry.kind !== ask.kind) return `kind: ${entry.kind}`
  if (ask.subject && entry.subject !== ask.subject) return `subject: ${entry.subject}`
  return ask.check?.(entry) ?? null
}

// Decodes what the node prepared and compares it with what was asked.
function inspect(ask: Ask, prepared: Prepared, me: Me, pinned: string): Draft {
  try {
    const entry = readEntry(unhex(prepared.payload))
    const told = facts(entry)
    return { prepared, entry, facts: told, problem: problemOf(ask, prepared, entry, me, pinned) }
  } catch (why) {
    return { prepared, entry: null, facts: [], problem: String(why) }
  }
}

export function SignerProvider({ children }: { children: ReactNode }) {
  const { me, pinned } = useSession()
  const [draft, setDraft] = useState<Draft | null>(null)
  const settle = useRef<((done: Submitted | null) => void) | null>(null)

  const sign = useCallback<Sign>(
    async (ask) => {
      const prepared = await ask.prepare()
      settle.current?.(null)
      setDraft(inspect(ask, prepared, me, pinned))
      return new Promise<Submitted | null>((resolve) => {
        settle.current = resolve
      })
    },
    [me, pinned],
  )
  const finish = useCallback((done: Submitted | null) => {
    settle.current?.(done)
    settle.current = null
    setDraft(null)
  }, [])
  const send = useMemo(() => (signed: unknown) => post<Submitted>('/api/transactions', signed), [])
  return (
    <Context.Provider value={sign}>
      {children}
      {draft && <SignDialog draft={draft} send={send} finish={finish} />}
    </Context.Provider>
  )
}
