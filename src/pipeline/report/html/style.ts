/** The style sheet of the page: light and dark, wide and narrow, and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #5a6470; --page: #ffffff; --card: #f4f6f8; --line: #d5dae0;
  --link: #0b57a4; --kept: #cfd6dd; --moved: #a9cdf2; --edited: #f4c76b; --new: #ef9a7a; --packed: #d9a5dd;
  --folder: #e9edf1; --on: #15181b; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --soft: #a3adb8; --page: #14171a; --card: #1e2328;
  --line: #363d45; --link: #7fb8f5; --kept: #4a535d; --moved: #2f6ba3; --edited: #8f6a12; --new: #a34a2a;
  --packed: #7d4a83; --folder: #262c32; --on: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0.5rem 0; max-width: 44rem; }
a { color: var(--link); }
.soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; margin: 1rem 0; padding: 0; }
.cards > div { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.6rem 0.8rem; }
.cards dt { color: var(--soft); font-size: 0.85rem; }
.cards dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.cards dd small { display: block; font-size: 0.8rem; font-weight: 400; color: var(--soft); }
.scroll { overflow-x: auto; position: relative; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); white-space: nowrap; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.path { overflow-wrap: anywhere; min-width: 14rem; font-family: ui-monospace, monospace; font-size: 0.85rem; font-weight: 400; }
tr:target { background: var(--card); outline: 2px solid var(--link); }
.state { display: inline-block; padding: 0 0.4rem; border-radius: 0.25rem; color: var(--on); white-space: nowrap; }
.kept { background: var(--kept); fill: var(--kept); } .moved { background: var(--moved); fill: var(--moved); }
.edited { background: var(--edited); fill: var(--edited); } .new { background: var(--new); fill: var(--new); }
.packed { background: var(--packed); fill: var(--packed); } .many { background: var(--folder); fill: var(--folder); }
.findings { list-style: none; padding: 0; display: grid; gap: 0.75rem; }
.findings > li { border: 1px solid var(--line); border-left: 0.3rem solid var(--new); border-radius: 0.3rem; padding: 0.6rem 0.8rem; }
.findings ul { margin: 0.3rem 0; padding-left: 1.2rem; font-family: ui-monospace, monospace; font-size: 0.85rem; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 0.4rem 0.8rem; list-style: none; padding: 0; margin: 0.5rem 0; font-size: 0.9rem; }
figure { margin: 0.5rem 0; }
figcaption { color: var(--soft); font-size: 0.9rem; margin-top: 0.4rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 12px system-ui, sans-serif; pointer-events: none; }
svg .leaf { stroke: var(--page); stroke-width: 1; } svg .leaf + text, svg a text { fill: var(--on); }
svg .box { fill: var(--folder); stroke: var(--page); stroke-width: 1; } svg .title { font-weight: 600; }
svg.bars { max-width: 45rem; }
svg.narrow { display: none; }
.tree ul { list-style: none; margin: 0; padding-left: 1.1rem; border-left: 1px solid var(--line); }
.tree > ul { padding-left: 0; border: 0; }
.tree li { margin: 0.1rem 0; overflow-wrap: anywhere; font-size: 0.9rem; }
.tree summary { cursor: pointer; padding: 0.15rem 0; }
.tree b { font-weight: 600; }
@media (max-width: 40rem) { svg.wide { display: none; } svg.narrow { display: block; } body { padding: 0.75rem; }
  th, td { padding: 0.3rem 0.4rem; } .path { min-width: 11rem; } }
@media print { body { max-width: none; } .scroll { overflow: visible; } }
`;
