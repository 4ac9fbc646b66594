// In the page: shows what the extension sends, and keeps the place and the focus meanwhile.
const vscode = acquireVsCodeApi();
const root = document.getElementById('page');
let scroll = vscode.getState()?.scroll;

addEventListener('message', ({ data: { state, html } }) => {
  const focused = document.activeElement?.id;
  root.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus();
  if (scroll !== undefined) scrollTo(0, scroll);
  scroll = undefined;
  vscode.setState({ ...state, scroll: scrollY });
});
addEventListener('scrollend', () => vscode.setState({ ...vscode.getState(), scroll: scrollY }));
addEventListener('click', ({ target }) => {
  if (target.id === 'retry') vscode.postMessage({ type: 'retry' });
});
vscode.postMessage({ type: 'ready' });
