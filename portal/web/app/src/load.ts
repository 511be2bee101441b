// Loading what a page shows, and again when asked.
import { useCallback, useEffect, useState } from 'react'
import { Fault } from './api'

export interface Loaded<T> {
  data: T | null
  fault: Fault | null
  loading: boolean
  reload: () => void
}

export function asFault(why: unknown): Fault {
  return why instanceof Fault ? why : new Fault(0, null, String(why))
}

// Loads at once and whenever `name` changes; an answer that arrives too late is dropped.
export function useLoad<T>(name: string, load: () => Promise<T>): Loaded<T> {
  const [turn, setTurn] = useState(0)
  const [data, setData] = useState<T | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const [loading, setLoading] = useState(true)
  useEffect(() => {
    let current = true
    setLoading(true)
    load()
      .then((value) => {
        if (current) {
          setData(value)
          setFault(null)
        }
      })
      .catch((why: unknown) => {
        if (current) setFault(asFault(why))
      })
      .finally(() => {
        if (current) setLoading(false)
      })
    return () => {
      current = false
    }
    // `load` is made anew at every drawing; `name` says when it means something else.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [name, turn])
  const reload = useCallback(() => setTurn((last) => last + 1), [])
  return { data, fault, loading, reload }
}
