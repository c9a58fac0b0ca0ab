// Runs what a module of clients sends: all of it, or the ones that are named.
//   node run.mjs openai.mjs [name ...]
// One line of JSON for each: {"name", "ok", "run", "error", "ms"}.
const [file, ...names] = process.argv.slice(2)
const { default: all } = await import('./' + file)
for (const name of names.length ? names : Object.keys(all)) {
  const line = { name, ok: true, run: process.env.TAMEFLARE_RUN_ID }
  const began = performance.now()
  try {
    await all[name]()
  } catch (err) {
    line.ok = false
    line.error = String(err?.message ?? err)
  }
  line.ms = Math.round(performance.now() - began)
  console.log(JSON.stringify(line))
}
