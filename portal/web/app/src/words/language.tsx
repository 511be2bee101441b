// The chosen language: Chinese unless the person chose English; kept in this browser.
import { type ReactNode, createContext, useContext, useMemo, useState } from 'react'
import { DICTIONARY, type Word } from './dictionary'
import { type Group, term } from './terms'

interface Language {
  zh: boolean
  toggle: () => void
  t: (word: Word, values?: Record<string, string | number>) => string
  term: (group: Group, word: string) => string
  time: (ms: number | null | undefined) => string
  pick: (zhText: string | null | undefined, enText: string | null | undefined) => string
}

const STORED = 'heqi.language'

function tell(word: Word, zh: boolean, values: Record<string, string | number>): string {
  const text: string = DICTIONARY[word][zh ? 0 : 1]
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

function clock(ms: number | null | undefined): string {
  if (!ms) return '–'
  const at = new Date(ms)
  const day = [at.getFullYear(), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join('-')
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')}`
}

function make(zh: boolean, toggle: () => void): Language {
  return {
    zh,
    toggle,
    t: (word, values = {}) => tell(word, zh, values),
    term: (group, word) => term(group, word, zh),
    time: clock,
    pick: (zhText, enText) => (zh ? zhText : enText) ?? zhText ?? enText ?? '',
  }
}

const Context = createContext<Language>(make(true, () => undefined))

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [zh, setZh] = useState(() => localStorage.getItem(STORED) !== 'en')
  const language = useMemo(() => {
    const toggle = () => {
      localStorage.setItem(STORED, zh ? 'en' : 'zh')
      setZh(!zh)
    }
    return make(zh, toggle)
  }, [zh])
  return <Context.Provider value={language}>{children}</Context.Provider>
}

export function useLanguage(): Language {
  return useContext(Context)
}
