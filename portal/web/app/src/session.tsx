// Who is signed in, which ledger this browser knows, and the person's key while it is in memory.
import { type ReactNode, createContext, useContext, useMemo, useState } from 'react'
import { type Key, forget } from './gm/keyfile'
import type { Me } from './types'

interface Session {
  me: Me
  // The genesis digest that this browser saw first.
  pinned: string
  key: Key | null
  setKey: (key: Key | null) => void
}

const PINNED = 'heqi.genesis'

function pin(chain: string): string {
  const known = localStorage.getItem(PINNED)
  if (known) return known
  localStorage.setItem(PINNED, chain)
  return chain
}

const Context = createContext<Session | null>(null)

export function SessionProvider({ me, children }: { me: Me; children: ReactNode }) {
  const [key, setKeyState] = useState<Key | null>(null)
  const pinned = useMemo(() => pin(me.chain), [me.chain])
  const session = useMemo(() => {
    const setKey = (next: Key | null) => {
      if (key && key !== next) forget(key)
      setKeyState(next)
    }
    return { me, pinned, key, setKey }
  }, [me, pinned, key])
  return <Context.Provider value={session}>{children}</Context.Provider>
}

export function useSession(): Session {
  const session = useContext(Context)
  if (!session) throw new Error('no session here')
  return session
}
