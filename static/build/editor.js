// The editor of policies, made of CodeMirror: it stands in for every <textarea data-editor>, which goes
// on holding the text, so that the form, htmx and who has no script know nothing of it.
//
// It lives in a shadow root, where CodeMirror keeps its rules in adopted style sheets: the content
// security policy has no room for style elements.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colours are the page's: custom properties reach into a shadow root.
const look = EditorView.theme({
  "&": {
    fontSize: "0.8125rem",
    color: "var(--foreground)",
    backgroundColor: "var(--card)",
    border: "1px solid var(--input)",
    borderRadius: "var(--radius)",
    overflow: "hidden",
  },
  "&.cm-focused": { outline: "2px solid var(--ring)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.6", maxHeight: "70vh", minHeight: "20rem" },
  ".cm-content": { caretColor: "var(--foreground)", padding: "0.5rem 0" },
  ".cm-line": { padding: "0 0.75rem 0 0.5rem" },
  ".cm-gutters": { color: "var(--muted-foreground)", backgroundColor: "var(--surface)", borderRight: "1px solid var(--border)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in oklch, var(--ember-soft) 45%, transparent)" },
  ".cm-activeLineGutter": { color: "var(--foreground)", backgroundColor: "var(--ember-soft)" },
  "& ::selection": { backgroundColor: "color-mix(in oklch, var(--monitored-line) 35%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent)", outline: "1px solid var(--border-strong)" },
  ".cm-tooltip": {
    maxWidth: "30rem",
    color: "var(--popover-foreground)",
    backgroundColor: "var(--popover)",
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius)",
    boxShadow: "var(--shadow-large)",
    fontFamily: "var(--font-sans)",
  },
  ".cm-diagnostic": { padding: "0.375rem 0.625rem", overflowWrap: "anywhere" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--denied-line)" },
  ".cm-diagnostic-info": { borderLeft: "3px solid var(--monitored-line)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--denied-line) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--monitored-line) 2px", textUnderlineOffset: "3px" },
  "@media (max-width: 40rem)": { "&": { fontSize: "1rem" } }, // under 16 px a phone zooms into the field
});

const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.labelName], color: "var(--monitored)" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--foreground)" },
  { tag: [tags.attributeValue, tags.number, tags.bool, tags.keyword], color: "var(--ember-text)" },
  { tag: [tags.lineComment, tags.comment], color: "var(--muted-foreground)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace, tags.meta], color: "var(--muted-foreground)" },
]));

// place is where a line and column from 1 are, as far as the text has them.
function place(doc, line, column) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(at.from + Math.max(column - 1, 0), at.to);
}

// marks are what the server says of the text: everything with data-line in the element that it answers into.
function marks(doc, answer) {
  const found = [];
  for (const said of answer.querySelectorAll("[data-line][data-severity]")) {
    const line = Number(said.dataset.line);
    if (!line) continue;
    let from = place(doc, line, Number(said.dataset.column));
    let rest = doc.sliceString(from, doc.lineAt(from).to);
    from += rest.length - rest.trimStart().length;
    rest = rest.trim();
    const word = /^[^\s,:{}[\]-][^\s,:{}[\]]*/.exec(rest)?.[0] ?? rest;
    found.push({ from, to: from + word.length, severity: said.dataset.severity, message: said.dataset.message });
  }
  return found.sort((a, b) => a.from - b.from);
}

function upgrade(area) {
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  const name = area.labels[0]?.textContent.trim() ?? "";
  const help = document.getElementById(area.getAttribute("aria-describedby"));
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), lintGutter(), history(), indentOnInput(), indentUnit.of("  "), bracketMatching(), highlightActiveLine(),
        highlightActiveLineGutter(), EditorView.lineWrapping, yaml(), look, colours, keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorState.readOnly.of(area.readOnly),
        EditorView.contentAttributes.of({ "aria-label": name, "aria-description": help?.textContent.trim() ?? "", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  area.after(host);
  area.hidden = true;
  for (const label of area.labels) label.addEventListener("click", () => view.focus());

  const answer = document.querySelector(area.dataset.editor);
  const show = () => view.dispatch(setDiagnostics(view.state, marks(view.state.doc, answer)));
  if (answer) {
    show();
    document.addEventListener("htmx:after:swap", show);
  }
  // A link to a line leads into the editor.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest(`a[data-line][href="#${area.id}"]`) : null;
    if (!link) return;
    event.preventDefault();
    const at = place(view.state.doc, Number(link.dataset.line), Number(link.dataset.column));
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
    host.scrollIntoView({ block: "nearest" });
  });
  // What changed the field by itself, such as a form builder, says so.
  area.addEventListener("change", () => {
    if (area.value === view.state.doc.toString()) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: area.value } });
  });
}

for (const area of document.querySelectorAll("textarea[data-editor]")) upgrade(area);
