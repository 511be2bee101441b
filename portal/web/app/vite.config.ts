// Builds the portal's pages into one folder of static files; the crate's build script names the folder.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  base: './',
  build: {
    outDir: process.env.HEQI_WEB_OUT ?? 'dist',
    emptyOutDir: true,
    sourcemap: false,
    // The content policy allows no inline script and no data: font; small files stay files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 3000,
    modulePreload: { polyfill: false },
  },
})
